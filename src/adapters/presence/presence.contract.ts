import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Presence } from "../../ports/presence.ts";

export interface OpenedPresence {
  readonly presence: Presence;
  /** Resolves when so much time has gone by. */
  readonly pass: (ms: number) => Promise<void>;
  close(): Promise<void>;
}

/** What every adapter of Presence must do. */
export function presenceContract(name: string, open: () => Promise<OpenedPresence>): void {
  describe(name, () => {
    let opened: OpenedPresence;
    let presence: Presence;
    beforeAll(async () => {
      opened = await open();
      presence = opened.presence;
    });
    afterAll(() => opened.close());

    const saidBy = async (id: string) => (await presence.present()).find((one) => one.id === id)?.said;

    test("who reports is there, with what it said last", async () => {
      const [a, b] = [randomUUID(), randomUUID()];
      await presence.report(a, { role: "api", n: 1 }, 60_000);
      await presence.report(b, { role: "jobs", partitions: [1, 2] }, 60_000);
      await presence.report(a, { role: "api", n: 2 }, 60_000);
      expect(await saidBy(a)).toEqual({ role: "api", n: 2 });
      expect(await saidBy(b)).toEqual({ role: "jobs", partitions: [1, 2] });
      const ids = (await presence.present()).map(({ id }) => id);
      expect(ids).toEqual([...ids].sort());
    });

    test("who has not reported for its time is not there, and is when it reports again", async () => {
      const id = randomUUID();
      await presence.report(id, { n: 1 }, 50);
      await opened.pass(100);
      expect(await saidBy(id)).toBeUndefined();
      await presence.report(id, { n: 2 }, 60_000);
      expect(await saidBy(id)).toEqual({ n: 2 });
    });

    test("who leaves is gone at once; leaving twice is no failure", async () => {
      const id = randomUUID();
      await presence.report(id, {}, 60_000);
      await presence.leave(id);
      await presence.leave(id);
      expect(await saidBy(id)).toBeUndefined();
    });
  });
}
