import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { createMemoryLease } from "../adapters/lease/memory.ts";
import type { Lease } from "../ports/lease.ts";
import { createSoleOwner } from "./sole-owner.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };

/** Owners of one lease that count how many of them work at a time. */
function newOwners(lease: Lease = createMemoryLease({ now: Date.now }), leaseMs = 300) {
  const working = new Set<string>();
  const began: string[] = [];
  let most = 0;
  const add = (holder: string, own = lease) => {
    const owner = createSoleOwner({
      ...{ lease: own, name: "work", holder, log, leaseMs },
      begin() {
        working.add(holder);
        began.push(holder);
        most = Math.max(most, working.size);
        return { stop: async () => void working.delete(holder) };
      },
    });
    onTestFinished(() => owner.stop());
    return owner;
  };
  return { add, working, began, most: () => most };
}

test("one works, the other stands by, and takes over at once when the first one stops", async () => {
  const { add, working, most } = newOwners();
  const [a, b] = [add("a"), add("b")];
  await a.start();
  await b.start();
  expect([a.owns(), b.owns()]).toEqual([true, false]);
  await a.stop();
  await a.stop();
  expect(a.owns()).toBe(false);
  await expect.poll(() => b.owns()).toBe(true);
  expect([...working]).toEqual(["b"]);
  expect(most()).toBe(1);
});

test("who cannot prolong the lease stops when it ends, and begins again when it has it again", async () => {
  const lease = createMemoryLease({ now: Date.now });
  let broken = false;
  const shaky: Lease = {
    take: (...args) => (broken ? Promise.reject(new Error("no answer")) : lease.take(...args)),
    release: (...args) => lease.release(...args),
  };
  const { add, working, began } = newOwners(lease);
  const a = add("a", shaky);
  await a.start();
  broken = true;
  await expect.poll(() => a.owns(), { timeout: 30_000 }).toBe(false);
  const b = add("b");
  await b.start();
  await expect.poll(() => b.owns()).toBe(true);
  expect([...working]).toEqual(["b"]);
  broken = false;
  await b.stop();
  await expect.poll(() => a.owns()).toBe(true);
  expect(began).toEqual(["a", "b", "a"]);
});

test("a stop while it begins ends what was begun", async () => {
  let ended = 0;
  let tell: () => void = () => undefined;
  const begins = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const owner = createSoleOwner({
    ...{ lease: createMemoryLease({ now: Date.now }), name: "work", holder: "a", log },
    async begin() {
      tell();
      await sleep(20);
      return {
        stop: async () => {
          ended += 1;
        },
      };
    },
  });
  const starting = owner.start();
  await begins;
  await owner.stop();
  await starting;
  expect(ended).toBe(1);
  expect(owner.owns()).toBe(false);
});

test("ten of them come and go: never two at a time", { timeout: 180_000 }, async () => {
  const { add, most } = newOwners(undefined, 60);
  for (let round = 0; round < 5; round += 1) {
    const owners = Array.from({ length: 10 }, (_, i) => add(`${round}-${i}`));
    await Promise.all(owners.map((owner) => owner.start()));
    await expect.poll(() => owners.filter((owner) => owner.owns()).length).toBe(1);
    await Promise.all(owners.map((owner) => owner.stop()));
  }
  expect(most()).toBe(1);
});
