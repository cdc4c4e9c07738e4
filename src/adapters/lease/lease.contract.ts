import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Lease } from "../../ports/lease.ts";

export interface OpenedLease {
  readonly lease: Lease;
  /** Resolves when a lease taken for so long has run out. */
  readonly pass: (ms: number) => Promise<void>;
  close(): Promise<void>;
}

/** What every adapter of Lease must do. */
export function leaseContract(name: string, open: () => Promise<OpenedLease>): void {
  describe(name, () => {
    let opened: OpenedLease;
    let lease: Lease;
    beforeAll(async () => {
      opened = await open();
      lease = opened.lease;
    });
    afterAll(() => opened.close());

    test("one holder at a time; another lease is another matter", async () => {
      const what = randomUUID();
      expect(await lease.take(what, "a", 60_000)).toEqual({ token: 1 });
      expect(await lease.take(what, "b", 60_000)).toBeNull();
      expect(await lease.take(`${what} too`, "b", 60_000)).toEqual({ token: 1 });
    });

    test("the holder prolongs it under the same token", async () => {
      const what = randomUUID();
      await lease.take(what, "a", 150);
      expect(await lease.take(what, "a", 60_000)).toEqual({ token: 1 });
      await opened.pass(200);
      expect(await lease.take(what, "b", 60_000)).toBeNull();
    });

    test("is another's when it has run out, under a greater token", async () => {
      const what = randomUUID();
      await lease.take(what, "a", 50);
      await opened.pass(100);
      expect(await lease.take(what, "b", 60_000)).toEqual({ token: 2 });
      expect(await lease.take(what, "a", 60_000)).toBeNull();
    });

    test("is free at once when it is released, by its holder only, and its token still grows", async () => {
      const what = randomUUID();
      await lease.release(what, "a");
      await lease.take(what, "a", 60_000);
      await lease.release(what, "b");
      expect(await lease.take(what, "b", 60_000)).toBeNull();
      await lease.release(what, "a");
      expect(await lease.take(what, "b", 60_000)).toEqual({ token: 2 });
    });

    test("a clock that is set back does not make it last: what ends later than any taken now has ended", async () => {
      const what = randomUUID();
      // As it stands there after the clock went back by ten minutes.
      await lease.take(what, "a", 600_000);
      expect(await lease.take(what, "b", 10_000)).toEqual({ token: 2 });
      expect(await lease.take(what, "a", 10_000)).toBeNull();
    });

    test("of many who want it at the same moment one gets it", async () => {
      const what = randomUUID();
      const takers = Array.from({ length: 20 }, (_, at) => lease.take(what, `holder ${at}`, 60_000));
      expect((await Promise.all(takers)).filter((held) => held !== null)).toEqual([{ token: 1 }]);
    });
  });
}
