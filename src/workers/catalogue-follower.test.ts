import { afterEach, describe, expect, it } from "vitest";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
import { publishItems } from "../commands/publish-items.ts";
import type { NewEvent } from "../ports/event-store.ts";
import type { Feed } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";
import { type CatalogueFollower, createCatalogueFollower } from "./catalogue-follower.ts";

const followers: CatalogueFollower[] = [];
afterEach(async () => {
  for (const follower of followers.splice(0)) await follower.stop();
});

function follow(feed: Feed, lines: object[] = []): CatalogueFollower {
  const error = (fields: object): void => void lines.push(fields);
  const log: Log = { debug() {}, info() {}, warn() {}, error };
  const follower = createCatalogueFollower({ feed, log, pauseMs: 5, retryMs: 1 });
  followers.push(follower);
  return follower;
}

let ids = 0;
const event = (type: string, data: object, schemaVersion = 1): NewEvent => ({
  eventId: `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
  type,
  data,
  metadata: { schemaVersion },
  recordedAt: "2026-01-05T00:00:00.000Z",
});
const item = (itemId: string, title = itemId) => ({ itemId, title, skillIds: [], kind: "exercise", tags: [] });
const append = (log: ReturnType<typeof createMemoryLog>, stream: string, ...events: NewEvent[]) =>
  log.append([{ stream, expected: "any", events }]);

describe("the catalogue follower", () => {
  it("reads the whole catalogue before start resolves, across pages, and nothing else", async () => {
    const log = createMemoryLog();
    for (let i = 0; i < 2_500; i++) {
      await append(log, `item-${i}`, event("ItemPublished", item(String(i))));
      if (i % 5 === 0) await append(log, "learner-ada", event("InteractionRecorded", {}));
    }
    const lines: object[] = [];
    const follower = follow(log, lines);
    await follower.start();
    expect(follower.catalogue.items.size).toBe(2_500);
    expect([follower.unreadable(), lines]).toEqual([0, []]);
    expect(follower.position()).toBeGreaterThanOrEqual(2_999);
  });

  it("follows: what is appended later appears by itself", async () => {
    const log = createMemoryLog();
    const follower = follow(log);
    await follower.start();
    await append(log, "item-x", event("ItemPublished", item("x")));
    await expect.poll(() => follower.catalogue.items.has("x")).toBe(true);
  });

  it("catches up with all that was appended before the call, however many ask", async () => {
    const log = createMemoryLog();
    const follower = follow(log);
    await follower.start();
    for (let i = 0; i < 50; i++) {
      await append(log, `item-${i}`, event("ItemPublished", item(String(i))));
      await Promise.all([follower.catchUp(), follower.catchUp()]);
      expect(follower.catalogue.items.size).toBe(i + 1);
    }
  });

  it("passes over an event it cannot read: counted, logged with its position, the item as it was, and still revisable", async () => {
    const log = createMemoryLog();
    await append(
      log,
      "item-x",
      event("ItemPublished", item("x", "First")),
      event("ItemRevised", { itemId: "x" }),
      event("ItemRevised", item("x", "From the future"), 99),
    );
    await append(log, "item-y", event("ItemBaked", {}));
    await append(log, "item-z", event("ItemPublished", item("z")));
    const lines: object[] = [];
    const follower = follow(log, lines);
    await follower.start();
    expect(follower.unreadable()).toBe(3);
    expect(lines).toMatchObject([{ position: 2 }, { position: 3 }, { position: 4, stream: "item-y" }]);
    expect(follower.catalogue.items.get("x")?.title).toBe("First");
    expect([...follower.catalogue.items.keys()]).toEqual(["x", "z"]);

    const deps = {
      eventStore: log,
      catalogue: follower,
      clock: { now: () => 0 },
      randomId: () => event("", {}).eventId,
    };
    const asked = [
      { itemId: "x", title: "Now", skillIds: [] },
      { itemId: "y", title: "Y", skillIds: [] },
    ];
    expect(await publishItems(deps, asked)).toMatchObject([{ status: "revised" }, { status: "published" }]);
    expect(follower.catalogue.items.get("x")).toMatchObject({ title: "Now", revision: 4 });
    expect(follower.catalogue.items.get("y")).toMatchObject({ title: "Y", revision: 2 });
  });

  it("keeps a bank while nothing changes, builds a new one when something does", async () => {
    const log = createMemoryLog();
    await append(log, "item-x", event("ItemPublished", item("x")));
    const follower = follow(log);
    await follower.start();
    const [before, version] = [follower.bank(null), follower.version];
    expect(follower.bank(null)).toBe(before);
    await append(log, "learner-ada", event("InteractionRecorded", {}));
    await follower.catchUp();
    expect([follower.bank(null), follower.version]).toEqual([before, version]);
    await append(log, "item-y", event("ItemPublished", item("y")));
    await follower.catchUp();
    expect(follower.version).toBeGreaterThan(version);
    expect(follower.bank(null)?.items.size).toBe(2);
    expect(follower.bank("no such track")).toBeNull();
  });

  it("goes on after the log failed, with nothing folded twice or lost", async () => {
    const log = createMemoryLog();
    let reads = 0;
    const flaky: Feed = {
      head: () => log.head(),
      behind: (after, filter) => log.behind(after, filter),
      waitForMore: (after, timeoutMs, signal) => log.waitForMore(after, timeoutMs, signal),
      read: (...read) => (++reads % 2 === 1 ? Promise.reject(new Error("away")) : log.read(...read)),
    };
    for (let i = 0; i < 30; i++) await append(log, `item-${i}`, event("ItemPublished", item(String(i))));
    const follower = follow(flaky);
    await follower.start();
    expect(follower.catalogue.items.size).toBe(30);
    expect(follower.version).toBe(1);
  });

  it("stops at once, twice, also before the start; afterwards nobody waits for ever", async () => {
    const follower = follow(createMemoryLog());
    await follower.start();
    await Promise.all([follower.stop(), follower.stop()]);
    await expect(follower.catchUp()).rejects.toThrow("stopped");
    const never = follow(createMemoryLog());
    await never.stop();
    await expect(never.start()).rejects.toThrow("stopped");
  });
});
