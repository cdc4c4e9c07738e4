import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMemoryReadModels } from "./memory.ts";
import { readModelsContract } from "./read-models.contract.ts";

readModelsContract(async () => ({ readModels: createMemoryReadModels(), close: async () => undefined }));

describe("snapshot", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "proximal-snapshot-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const filled = async (rows: number) => {
    const readModels = createMemoryReadModels();
    const set = (at: number) =>
      new Map([
        ["a", Buffer.from(`value ${at}`)],
        ["ü", Buffer.from([0, at % 256, 255])],
      ]);
    await readModels.write(
      Array.from({ length: rows }, (_, at) => ({ key: `k${at}`, from: 0, to: at + 1, set: set(at) })),
    );
    return readModels;
  };
  const keysOf = (rows: number) => Array.from({ length: rows }, (_, at) => `k${at}`);

  test("what was saved is loaded, and goes on from there", async () => {
    const path = join(folder, "whole");
    const saved = await filled(5000);
    expect((await saved.saveSnapshot(path)).rows).toBe(5000);
    const loaded = createMemoryReadModels();
    expect(await loaded.loadSnapshot(path)).toEqual({ loaded: true, rows: 5000 });
    expect(await loaded.read(keysOf(5000))).toEqual(await saved.read(keysOf(5000)));
    expect(await loaded.write([{ key: "k7", from: 8, to: 9, set: new Map() }])).toEqual([{ status: "written" }]);
  });

  test("it is one moment, whatever is written meanwhile", async () => {
    const path = join(folder, "moment");
    const readModels = await filled(20_000);
    const before = await readModels.read(keysOf(20_000));
    const saving = readModels.saveSnapshot(path);
    for (const [at, key] of keysOf(20_000).entries()) {
      await readModels.write([
        { key, from: at + 1, to: at + 2, set: new Map([["a", Buffer.from("new")]]), remove: ["ü"] },
      ]);
    }
    await readModels.remove(["k3"]);
    await readModels.write([{ key: "added", from: 0, to: 1, set: new Map() }]);
    await saving;
    const loaded = createMemoryReadModels();
    await loaded.loadSnapshot(path);
    expect(await loaded.read(keysOf(20_000))).toEqual(before);
    expect((await loaded.read(["added"]))[0]?.version).toBe(0);
    expect((await readModels.get("k5", "a"))?.toString()).toBe("new");
  });

  test("a missing file is told as such", async () => {
    const result = await createMemoryReadModels().loadSnapshot(join(folder, "none"));
    expect(result).toMatchObject({ loaded: false, missing: true });
  });

  test("a file cut or changed anywhere is refused, and changes nothing", async () => {
    const path = join(folder, "damaged");
    await (await filled(20)).saveSnapshot(path);
    const good = await readFile(path);
    const readModels = await filled(1);
    for (let at = 0; at < good.length; at += 1) {
      const bad = at % 2 === 0 ? good.subarray(0, at) : Buffer.from(good);
      if (at % 2 === 1) bad.writeUInt8(bad.readUInt8(at) ^ 1, at);
      await writeFile(path, bad);
      expect(await readModels.loadSnapshot(path)).toMatchObject({ loaded: false, missing: false });
    }
    expect((await readModels.get("k0", "a"))?.toString()).toBe("value 0");
  });

  test("a save that fails leaves the last good file and nothing else", async () => {
    const path = join(folder, "kept", "rows");
    await expect((await filled(1)).saveSnapshot(path)).rejects.toThrow("ENOENT");
    const good = join(folder, "good");
    await (await filled(3)).saveSnapshot(good);
    await (await filled(4)).saveSnapshot(good);
    expect((await createMemoryReadModels().loadSnapshot(good)).loaded).toBe(true);
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
