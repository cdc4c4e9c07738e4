import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Blobs } from "../../ports/blobs.ts";

export interface OpenedBlobs {
  readonly blobs: Blobs;
  /** Closes it and opens what was stored again; where the engine can. */
  readonly reopen?: () => Promise<Blobs>;
  close(): Promise<void>;
}

/** What every adapter of Blobs must do. `open` gives an empty store. */
export function blobsContract(name: string, open: () => Promise<OpenedBlobs>): void {
  describe(name, () => {
    let opened: OpenedBlobs;
    let blobs: Blobs;
    beforeAll(async () => {
      opened = await open();
      blobs = opened.blobs;
    });
    afterAll(() => opened.close());

    test("gives back the bytes, none and all values among them", async () => {
      const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      await blobs.put("model", "all", all);
      await blobs.put("model", "empty", new Uint8Array(0));
      expect(await blobs.get("model", "all")).toEqual(all);
      expect(await blobs.get("model", "empty")).toEqual(Buffer.alloc(0));
    });

    test("a part of a larger buffer is stored as that part", async () => {
      const part = new Uint8Array(Buffer.from("beforePARTafter")).subarray(6, 10);
      await blobs.put("model", "part", part);
      expect((await blobs.get("model", "part"))?.toString()).toBe("PART");
    });

    test("null where there is none; a name belongs to its kind", async () => {
      await blobs.put("a", "same", Buffer.from("a"));
      await blobs.put("b", "same", Buffer.from("b"));
      expect((await blobs.get("a", "same"))?.toString()).toBe("a");
      expect((await blobs.get("b", "same"))?.toString()).toBe("b");
      expect(await blobs.get("c", "same")).toBeNull();
      expect(await blobs.get("a", "other")).toBeNull();
      expect(await blobs.names("c")).toEqual([]);
    });

    test("overwrites; names come in the order of their last write", async () => {
      for (const name of ["z", "a", "m", "z"]) await blobs.put("order", name, Buffer.from(`${name} again`));
      expect(await blobs.names("order")).toEqual(["a", "m", "z"]);
      await blobs.put("order", "a", Buffer.from("new"));
      expect(await blobs.names("order")).toEqual(["m", "z", "a"]);
      expect((await blobs.get("order", "a"))?.toString()).toBe("new");
    });

    test("what is put as new is put once, whoever comes first", async () => {
      const puts = ["a", "b", "c"].map((text) => blobs.putNew("new", "x", Buffer.from(text)));
      const [first, ...others] = (await Promise.all(puts)).map(String);
      expect(others).toEqual([first, first]);
      expect((await blobs.get("new", "x"))?.toString()).toBe(first);
      await blobs.put("new", "x", Buffer.from("other"));
      expect(String(await blobs.putNew("new", "x", Buffer.from("late")))).toBe("other");
    });

    test("removes; what is not there is removed already", async () => {
      await blobs.put("gone", "x", Buffer.from("x"));
      await blobs.remove("gone", "x");
      await blobs.remove("gone", "x");
      expect(await blobs.get("gone", "x")).toBeNull();
      expect(await blobs.names("gone")).toEqual([]);
    });

    test("keeps what it was given: changing the buffer afterwards, on either side, changes nothing", async () => {
      const bytes = Buffer.from("before");
      await blobs.put("own", "x", bytes);
      bytes.fill(0);
      (await blobs.get("own", "x"))?.fill(0);
      expect((await blobs.get("own", "x"))?.toString()).toBe("before");
    });

    test("eight megabytes, and all is still there after opening it again", async () => {
      const large = randomBytes(8_000_000);
      await blobs.put("large", "x", large);
      const again = (await opened.reopen?.()) ?? blobs;
      expect((await again.get("large", "x"))?.equals(large)).toBe(true);
      expect(await again.names("order")).toEqual(["m", "z", "a"]);
    });
  });
}
