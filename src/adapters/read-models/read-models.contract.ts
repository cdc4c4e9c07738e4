import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { GuardedWrite, ReadModels } from "../../ports/read-models.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
const fields = (entries: Record<string, string>): Map<string, Buffer> =>
  new Map(Object.entries(entries).map(([name, value]) => [name, bytes(value)]));
const put = (key: string, from: GuardedWrite["from"], to: number, entries: Record<string, string>): GuardedWrite => ({
  key,
  from,
  to,
  set: fields(entries),
});

/** What every engine of the read models must do. Each test has keys of its own. */
export function readModelsContract(open: () => Promise<{ readModels: ReadModels; close(): Promise<void> }>): void {
  describe("read models", () => {
    let readModels: ReadModels;
    let close: () => Promise<void> = async () => undefined;
    beforeAll(async () => {
      ({ readModels, close } = await open());
    });
    afterAll(() => close());

    const all = async (prefix: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const page of readModels.keys(prefix)) found.push(...page);
      return found.sort();
    };

    test("tells of each row that is written or removed, until it is told to stop", async () => {
      const told = new Set<string>();
      const stop = readModels.onChange((keys) => {
        for (const key of keys ?? []) told.add(key);
      });
      // An engine that tells over a connection of its own may miss what was written while that one was being made.
      const toldOf = (key: string) => vi.waitFor(() => expect(told).toContain(key), { timeout: 30_000 });
      await vi.waitFor(
        async () => {
          await readModels.write([put("told of 0", "older", 1, { a: "1" })]);
          expect(told).toContain("told of 0");
        },
        { timeout: 30_000 },
      );
      await readModels.write([put("told of 1", 0, 1, { a: "1" }), put("told of 2", 0, 1, { a: "1" })]);
      await Promise.all([toldOf("told of 1"), toldOf("told of 2")]);
      told.clear();
      await readModels.remove(["told of 1"]);
      await toldOf("told of 1");
      stop();
      await readModels.write([put("told of 3", 0, 1, { a: "1" })]);
      expect(await readModels.get("told of 3", "a")).toEqual(bytes("1"));
      expect(told).not.toContain("told of 3");
    });

    test("a row never written has version 0 and no fields", async () => {
      expect(await readModels.get("none", "a")).toBeNull();
      expect(await readModels.read(["none"])).toEqual([{ version: 0, fields: new Map() }]);
      expect(await readModels.read(["none"], ["a"])).toEqual([{ version: 0, fields: new Map() }]);
    });

    test("a write on the right version sets, keeps and removes fields", async () => {
      expect(await readModels.write([put("w1", 0, 3, { a: "1", b: "2", c: "3" })])).toEqual([{ status: "written" }]);
      const second: GuardedWrite = { ...put("w1", 3, 4, { b: "zwei" }), remove: ["c", "never there"] };
      expect(await readModels.write([second])).toEqual([{ status: "written" }]);
      expect(await readModels.read(["w1"])).toEqual([{ version: 4, fields: fields({ a: "1", b: "zwei" }) }]);
    });

    test.each([
      ["a repeated write", 0, 5],
      ["a writer that fell behind", 4, 6],
      ["a gap", 6, 7],
      ["an older one", "older", 4],
    ] as const)("%s is refused with the version that stands", async (name, from, to) => {
      const key = `refused ${name}`;
      await readModels.write([put(key, 0, 5, { a: "kept" })]);
      const refused: GuardedWrite = { ...put(key, from, to, { a: "lost", b: "lost" }), remove: ["a"] };
      expect(await readModels.write([refused])).toEqual([{ status: "refused", version: 5 }]);
      expect(await readModels.read([key])).toEqual([{ version: 5, fields: fields({ a: "kept" }) }]);
    });

    test('"older" writes over any version up to its own', async () => {
      const write = async (to: number) => (await readModels.write([put("o1", "older", to, { a: String(to) })]))[0];
      expect(await write(3)).toEqual({ status: "written" });
      expect(await write(3)).toEqual({ status: "written" });
      expect(await write(10)).toEqual({ status: "written" });
      expect(await write(9)).toEqual({ status: "refused", version: 10 });
      expect((await readModels.get("o1", "a"))?.toString()).toBe("10");
    });

    test("versions are exact up to 2^53", async () => {
      const large = 2 ** 53 - 1;
      await readModels.write([put("large", 0, large - 1, { a: "1" })]);
      expect(await readModels.write([put("large", large - 1, large, { a: "2" })])).toEqual([{ status: "written" }]);
      expect(await readModels.write([put("large", 1, 2, {})])).toEqual([{ status: "refused", version: large }]);
    });

    test("the writes of a batch are independent and their outcomes in order", async () => {
      await readModels.write([put("b2", 0, 1, { a: "x" })]);
      const outcomes = await readModels.write([
        put("b1", 0, 1, { a: "1" }),
        put("b2", 0, 1, { a: "1" }),
        put("b1", 1, 2, { a: "2" }),
      ]);
      expect(outcomes).toEqual([{ status: "written" }, { status: "refused", version: 1 }, { status: "written" }]);
      const values = await readModels.getMany(["b1", "b2", "b3"], "a");
      expect(values.map((value) => value?.toString() ?? null)).toEqual(["2", "x", null]);
    });

    test("of a large batch each row is written or refused by itself, its own fields removed", async () => {
      const keys = Array.from({ length: 130 }, (_, at) => `mixed:${at}`);
      const ahead = (at: number): boolean => at % 7 === 0;
      await readModels.write(keys.map((key, at) => put(key, 0, ahead(at) ? 5 : 1, { a: "old", b: "old" })));
      const outcomes = await readModels.write(
        keys.map((key, at) => ({ ...put(key, 1, 2, { a: key }), remove: at % 2 === 0 ? ["b"] : [] })),
      );
      expect(outcomes).toEqual(
        keys.map((_, at) => (ahead(at) ? { status: "refused", version: 5 } : { status: "written" })),
      );
      const rows = (await readModels.read(keys)).map(({ version, fields }) => [version, ...fields.values()].join());
      expect(rows).toEqual(
        keys.map((key, at) => (ahead(at) ? "5,old,old" : at % 2 === 0 ? `2,${key}` : `2,${key},old`)),
      );
    });

    test("values are bytes, and keys and fields any text", async () => {
      const value = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
      const key = 'k {ä} "*?[x]\\ 日本';
      const field = "__proto__ {é} :*";
      await readModels.write([{ key, from: 0, to: 1, set: new Map([[field, value]]) }]);
      expect(await readModels.get(key, field)).toEqual(value);
      expect((await readModels.read([key]))[0]?.fields.get(field)).toEqual(value);
      expect((await readModels.read([key], [field, "other"]))[0]?.fields).toEqual(new Map([[field, value]]));
    });

    test("many rows are read in the order asked for, whole or in part", async () => {
      const keys = Array.from({ length: 1234 }, (_, at) => `many:${at}`);
      await readModels.write(keys.map((key, at) => put(key, 0, at + 1, { a: key, b: "b" })));
      const rows = await readModels.read(keys, ["a"]);
      expect(rows.map((row) => row.version)).toEqual(keys.map((_, at) => at + 1));
      expect(rows.map((row) => row.fields.get("a")?.toString())).toEqual(keys);
      expect(rows[0]?.fields.size).toBe(1);
      expect((await readModels.getMany(keys, "a")).map((value) => value?.toString())).toEqual(keys);
    });

    test("a row may have tens of thousands of fields, written and removed at once", async () => {
      const names = Array.from({ length: 25_000 }, (_, at) => `field ${at}`);
      const set = new Map(names.map((name) => [name, bytes(name)]));
      await readModels.write([{ key: "wide", from: 0, to: 1, set }]);
      expect((await readModels.read(["wide"]))[0]?.fields).toEqual(set);
      await readModels.write([{ key: "wide", from: 1, to: 2, set: fields({ one: "1" }), remove: names }]);
      expect((await readModels.read(["wide"]))[0]).toEqual({ version: 2, fields: fields({ one: "1" }) });
    });

    test("keys are listed by prefix, each once, and wildcards mean themselves", async () => {
      const keys = [..."abcdefghij"].flatMap((a) => Array.from({ length: 250 }, (_, at) => `list[${a}]*:${at}`));
      await readModels.write(keys.map((key) => put(key, 0, 1, { a: "1" })));
      expect(await all("list[")).toEqual([...keys].sort());
      expect(await all("list[c]*:")).toEqual(keys.filter((key) => key.startsWith("list[c]")).sort());
      expect(await all("list?")).toEqual([]);
    });

    test("removed rows are as if never written", async () => {
      await readModels.write([put("r1", 0, 9, { a: "1" }), put("r2", 0, 9, { a: "1" })]);
      await readModels.remove(["r1", "never there"]);
      expect((await readModels.read(["r1", "r2"])).map((row) => row.version)).toEqual([0, 9]);
      expect(await readModels.write([put("r1", 0, 1, { a: "2" })])).toEqual([{ status: "written" }]);
    });

    test("of writers that race for one version, one wins", async () => {
      const racers = Array.from({ length: 20 }, (_, at) => readModels.write([put("race", 0, 1, { a: String(at) })]));
      const outcomes = (await Promise.all(racers)).flat();
      const winners = outcomes.flatMap((outcome, at) => (outcome.status === "written" ? [at] : []));
      expect(winners).toHaveLength(1);
      expect((await readModels.get("race", "a"))?.toString()).toBe(String(winners[0]));
    });

    test("nothing was lost, so nobody is told", async () => {
      let told = false;
      const stop = readModels.onLoss(() => {
        told = true;
      });
      await readModels.write([put("safe", 0, 1, { a: "1" })]);
      await readModels.remove(["safe"]);
      stop();
      stop();
      expect(told).toBe(false);
    });

    test("nothing asked, nothing done", async () => {
      expect(await readModels.write([])).toEqual([]);
      expect(await readModels.read([])).toEqual([]);
      expect(await readModels.getMany([], "a")).toEqual([]);
      await readModels.remove([]);
    });
  });
}
