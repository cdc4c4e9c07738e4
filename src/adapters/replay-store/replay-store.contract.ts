import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ClaimedReplay, type NewReplay, ReplayClaimLost, type ReplayStore } from "../../ports/replay-store.ts";

export interface OpenedReplayStore {
  readonly store: ReplayStore;
  /** The same replays as another process sees them, where several share them. */
  readonly other?: () => Promise<ReplayStore>;
  close(): Promise<void>;
}

const now = Date.UTC(2026, 4, 1);
const minute = 60_000;

/** What every adapter of the store of replays must do. `open` gives an empty one; `shared`: several processes may have it open. */
export function replayStoreContract(name: string, shared: boolean, open: () => Promise<OpenedReplayStore>): void {
  describe(name, () => {
    let opened: OpenedReplayStore;
    let store: ReplayStore;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(() => opened.close());
    beforeEach(async () => {
      for (const { id } of await store.list({ limit: 1000 })) await store.remove(id);
    });

    const asked = (more: Partial<NewReplay> = {}): NewReplay => ({
      ...{ id: randomUUID(), kind: "export", input: { format: "csv", odd: 'quote " and \\ and \u0000 and é' } },
      ...{ idempotencyKey: null, requestedBy: null, createdAt: now, ...more },
    });
    async function added(more: Partial<NewReplay> = {}): Promise<string> {
      const { id } = asked();
      expect(await store.add(asked({ id, ...more }), 100)).toMatchObject({ status: "added" });
      return more.id ?? id;
    }
    async function claimed(id: string, at = now, until = at + minute): Promise<ClaimedReplay> {
      const claim = await store.claim(id, at, until);
      if (claim === null) throw new Error("it was not due");
      return claim;
    }
    async function contentOf(id: string, file: string): Promise<string> {
      const pieces: Buffer[] = [];
      for (let offset = 0; ; ) {
        const piece = await store.read(id, file, offset);
        if (piece.length === 0) return Buffer.concat(pieces).toString();
        pieces.push(piece);
        offset += piece.length;
      }
    }

    test("gives back what was asked, and lists the newest first", async () => {
      const first = asked({ requestedBy: "key-1" });
      expect(await store.add(first, 100)).toMatchObject({ status: "added", replay: first });
      expect(await store.get(first.id)).toEqual({
        ...first,
        ...{ number: expect.any(Number), state: "queued", attempts: 0, startedAt: null, endedAt: null },
        ...{ progress: null, summary: null, error: null, files: [] },
      });
      const second = await added({ kind: "report" });
      const all = await store.list({ limit: 10 });
      expect(all.map(({ id }) => id)).toEqual([second, first.id]);
      expect(await store.list({ limit: 1, before: all[0]?.number ?? 0 })).toEqual(all.slice(1));
      expect(await store.list({ limit: 10, kind: "report", state: "queued" })).toEqual(all.slice(0, 1));
      expect(await store.list({ limit: 10, kind: "report", state: "done" })).toEqual([]);
      expect(await store.get(randomUUID())).toBeNull();
    });

    test("an idempotency key is used once by who asks, and is free again when its replay is gone", async () => {
      const id = await added({ idempotencyKey: "k", requestedBy: "ann" });
      const again = asked({ idempotencyKey: "k", requestedBy: "ann", input: {} });
      expect(await store.add(again, 100)).toMatchObject({ status: "known", replay: { id } });
      expect(await store.add(again, 0)).toMatchObject({ status: "known", replay: { id } });
      await added({ idempotencyKey: "k", requestedBy: "ben" });
      await added({ idempotencyKey: "k", requestedBy: null });
      expect(await store.list({ limit: 10 })).toHaveLength(3);
      await store.remove(id);
      expect(await store.add(again, 100)).toMatchObject({ status: "added" });
    });

    test("no more are open than may be", async () => {
      const first = await added();
      await added();
      expect(await store.add(asked(), 2)).toEqual({ status: "full", open: 2 });
      await store.cancel(first, now);
      expect(await store.add(asked(), 2)).toMatchObject({ status: "added" });
    });

    test("one that is queued is claimed once; a claim that has run out is another's", async () => {
      const [first, second] = [await added(), await added()];
      expect(await store.due(now, 10)).toEqual([first, second]);
      const claims = await Promise.all([1, 2, 3].map(() => store.claim(first, now, now + minute)));
      expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
      expect(await store.get(first)).toMatchObject({ state: "running", attempts: 1, startedAt: now });
      expect(await store.due(now, 10)).toEqual([second]);
      expect(await store.due(now + minute, 1)).toEqual([first]);
      expect(await store.claim(first, now + minute - 1, now + 2 * minute)).toBeNull();
      expect(await claimed(first, now + minute)).toMatchObject({
        attempt: 2,
        tries: 2,
        kind: "export",
        resumeFrom: null,
      });
      expect(await store.get(first)).toMatchObject({ startedAt: now });
      expect(await store.claim(randomUUID(), now, now + minute)).toBeNull();
    });

    test("who keeps the claim has it longer, and says how far the work is", async () => {
      const claim = await claimed(await added());
      await store.keep(claim, now + 3 * minute, { done: 5, total: null });
      expect(await store.get(claim.id)).toMatchObject({ progress: { done: 5, total: null } });
      await store.keep(claim, now + 3 * minute, { done: 7.5, total: 10_000_000_000 });
      await store.keep(claim, now + 3 * minute, null);
      expect(await store.get(claim.id)).toMatchObject({ progress: { done: 7.5, total: 10_000_000_000 } });
      expect(await store.claim(claim.id, now + 2 * minute, now + 9 * minute)).toBeNull();
    });

    test("who lost the claim changes nothing", async () => {
      const id = await added();
      const lost = await claimed(id);
      await store.addFile(lost, "a", "text/plain");
      await store.append(lost, "a", 0, Buffer.from("kept"));
      await store.checkpoint(lost, { at: 1 });
      const holder = await claimed(id, now + minute);
      const attempts = [
        () => store.keep(lost, now + 9 * minute, { done: 1, total: 1 }),
        () => store.addFile(lost, "b", "text/plain"),
        () => store.append(lost, "a", 4, Buffer.from("no")),
        () => store.checkpoint(lost, { at: 9 }),
        () => store.finish(lost, { state: "done", summary: {} }, now),
      ];
      for (const attempt of attempts) await expect(attempt()).rejects.toBeInstanceOf(ReplayClaimLost);
      await store.release(lost, 0, false);
      expect(await store.due(now + minute, 10)).toEqual([]);
      await store.finish(holder, { state: "done", summary: { rows: 4 } }, now + minute);
      for (const attempt of attempts) await expect(attempt()).rejects.toBeInstanceOf(ReplayClaimLost);
      expect(await store.get(id)).toMatchObject({
        ...{ state: "done", summary: { rows: 4 }, error: null, endedAt: now + minute, progress: null },
        files: [{ name: "a", mediaType: "text/plain", bytes: 4 }],
      });
      expect(await contentOf(id, "a")).toBe("kept");
    });

    test("resumed, its files are as they were at its checkpoint, and its tries begin again", async () => {
      const id = await added();
      const first = await claimed(id);
      await store.addFile(first, "b", "text/csv");
      await store.append(first, "b", 0, Buffer.from("one "));
      await store.addFile(first, "empty", "text/csv");
      await store.checkpoint(first, { at: [1, null, "x"] });
      await store.append(first, "b", 4, Buffer.from("lost "));
      await store.append(first, "empty", 0, Buffer.from("lost"));
      await store.addFile(first, "a", "text/csv");
      await store.append(first, "a", 0, Buffer.from("lost"));
      const second = await claimed(id, now + minute);
      expect(second.resumeFrom).toEqual({ at: [1, null, "x"] });
      expect(second.tries).toBe(1);
      expect(second.files).toEqual([
        { name: "b", mediaType: "text/csv", bytes: 4 },
        { name: "empty", mediaType: "text/csv", bytes: 0 },
      ]);
      await store.addFile(second, "b", "text/csv");
      await expect(store.append(second, "b", 3, Buffer.from("x"))).rejects.toThrow("does not end at 3");
      await store.append(second, "b", 4, Buffer.from("two"));
      expect(await contentOf(id, "b")).toBe("one two");
      expect((await store.read(id, "b", 5)).toString()).toBe("wo");
      expect(await contentOf(id, "empty")).toBe("");
      expect(await contentOf(id, "a")).toBe("");
      expect(await store.read(id, "b", 7)).toHaveLength(0);
    });

    test("given up, it is due when it was said; what is excused is no try", async () => {
      const id = await added();
      await store.release(await claimed(id), now + 10, true);
      expect(await store.due(now + 9, 10)).toEqual([]);
      expect(await store.get(id)).toMatchObject({ state: "queued" });
      const second = await claimed(id, now + 10);
      expect(second).toMatchObject({ attempt: 2, tries: 1 });
      await store.release(second, now + 20, false);
      expect(await claimed(id, now + 20)).toMatchObject({ attempt: 3, tries: 2 });
    });

    test("what failed says why", async () => {
      const id = await added();
      await store.finish(await claimed(id), { state: "failed", error: "no such track" }, now + 5);
      expect(await store.get(id)).toMatchObject({
        state: "failed",
        error: "no such track",
        summary: null,
        endedAt: now + 5,
      });
      expect(await store.claim(id, now + 9 * minute, now + 10 * minute)).toBeNull();
      expect(await store.cancel(id, now)).toBe(false);
    });

    test("cancelled, it is nobody's work, and its files are gone", async () => {
      const [waiting, running] = [await added(), await added()];
      const claim = await claimed(running);
      await store.addFile(claim, "a", "text/plain");
      await store.append(claim, "a", 0, Buffer.from("half"));
      for (const id of [waiting, running]) expect(await store.cancel(id, now + 7)).toBe(true);
      for (const id of [waiting, running]) expect(await store.cancel(id, now + 8)).toBe(false);
      for (const id of [waiting, running]) {
        expect(await store.get(id)).toMatchObject({ state: "cancelled", endedAt: now + 7, files: [] });
      }
      await expect(store.append(claim, "a", 4, Buffer.from("x"))).rejects.toBeInstanceOf(ReplayClaimLost);
      await expect(store.keep(claim, now, null)).rejects.toBeInstanceOf(ReplayClaimLost);
      expect(await store.due(now + 9 * minute, 10)).toEqual([]);
      expect(await contentOf(running, "a")).toBe("");
      expect(await store.cancel(randomUUID(), now)).toBe(false);
    });

    test("removed, it is gone with its files, and its worker is told", async () => {
      const claim = await claimed(await added());
      await store.addFile(claim, "a", "text/plain");
      await store.append(claim, "a", 0, Buffer.from("bytes"));
      expect(await store.remove(claim.id)).toBe(true);
      expect(await store.remove(claim.id)).toBe(false);
      expect(await store.get(claim.id)).toBeNull();
      expect(await contentOf(claim.id, "a")).toBe("");
      await expect(store.checkpoint(claim, 1)).rejects.toBeInstanceOf(ReplayClaimLost);
      expect((await store.counts(now)).fileBytes).toBe(0);
    });

    test("those that ended long ago are removed, some at a time; those that run are not", async () => {
      const ids = [];
      for (let n = 0; n < 5; n += 1) ids.push(await added());
      for (const [n, id] of ids.slice(0, 3).entries())
        await store.finish(await claimed(id), { state: "done", summary: n }, now + n);
      await store.cancel(ids[3] ?? "", now + 3);
      expect(await store.removeEndedBefore(now + 3, 2)).toBe(2);
      expect(await store.removeEndedBefore(now + 3, 2)).toBe(1);
      expect(await store.removeEndedBefore(now + 3, 2)).toBe(0);
      expect((await store.list({ limit: 10 })).map(({ id }) => id)).toEqual([ids[4], ids[3]]);
    });

    test("counts: by state, how long the oldest waits, and bytes", async () => {
      expect(await store.counts(now)).toEqual({
        ...{ byState: { queued: 0, running: 0, done: 0, failed: 0, cancelled: 0 }, oldestQueuedMs: null, fileBytes: 0 },
      });
      const claim = await claimed(await added());
      await added({ createdAt: now + 5 });
      await added({ createdAt: now + 3 });
      await store.addFile(claim, "a", "text/plain");
      await store.append(claim, "a", 0, Buffer.alloc(1000));
      const counts = await store.counts(now + 10);
      expect(counts).toMatchObject({ byState: { queued: 2, running: 1, done: 0 }, fileBytes: 1000 });
      expect(counts.oldestQueuedMs).toBe(7);
    });

    test("a file of bytes of every value, in pieces of any length, is read as it was written", async () => {
      const id = await added();
      const claim = await claimed(id);
      const all = Buffer.concat([
        Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
        Buffer.alloc(400_000, "ab"),
      ]);
      await store.addFile(claim, "all.bin", "application/octet-stream");
      for (let offset = 0, length = 1; offset < all.length; offset += length, length *= 3) {
        await store.append(claim, "all.bin", offset, all.subarray(offset, offset + length));
      }
      const [info] = (await store.get(id))?.files ?? [];
      expect(info?.bytes).toBe(all.length);
      expect(Buffer.compare(Buffer.from(await contentOf(id, "all.bin")), Buffer.from(all.toString()))).toBe(0);
      expect(await store.read(id, "all.bin", 255)).toEqual(all.subarray(255, 364));
    });

    test("whatever workers do, a finished file is what one of them wrote from checkpoint to checkpoint", async () => {
      const step = fc.constantFrom("write", "write", "checkpoint", "die", "stop", "late write");
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const id = await added();
          let time = now;
          let claim = await claimed(id, time);
          let late: ClaimedReplay | null = null;
          let [written, saved] = ["", ""];
          await store.addFile(claim, "f", "text/plain");
          for (const [n, what] of steps.entries()) {
            if (what === "write") {
              await store.append(claim, "f", written.length, Buffer.from(`${n},`));
              written += `${n},`;
            } else if (what === "checkpoint") {
              await store.checkpoint(claim, saved.length);
              saved = written;
            } else if (what === "late write") {
              if (late !== null)
                await store.append(late, "f", written.length, Buffer.from("late")).catch(() => undefined);
            } else {
              if (what === "stop") await store.release(claim, time, true);
              else time += minute;
              late = claim;
              claim = await claimed(id, time);
              written = saved;
              await store.addFile(claim, "f", "text/plain");
            }
          }
          expect(await contentOf(id, "f")).toBe(written);
          await store.finish(claim, { state: "done", summary: null }, time);
          expect((await store.get(id))?.files).toEqual([{ name: "f", mediaType: "text/plain", bytes: written.length }]);
          await store.remove(id);
        }),
        { numRuns: 15 },
      );
    });

    if (shared)
      test("another process sees the same", async () => {
        const other = await opened.other?.();
        if (other === undefined) throw new Error("this engine is of one process");
        const id = await added({ idempotencyKey: "shared" });
        const claims = await Promise.all([store, other].map((one) => one.claim(id, now, now + minute)));
        const [claim] = claims.filter((one) => one !== null);
        expect(claims.filter((one) => one !== null)).toHaveLength(1);
        if (claim === undefined || claim === null) return;
        await other.addFile(claim, "a", "text/plain");
        await other.append(claim, "a", 0, Buffer.from("there"));
        expect((await store.read(id, "a", 0)).toString()).toBe("there");
        await store.cancel(id, now);
        await expect(other.keep(claim, now + minute, null)).rejects.toBeInstanceOf(ReplayClaimLost);
      });
  });
}
