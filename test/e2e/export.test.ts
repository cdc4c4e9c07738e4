import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { parquetReadObjects } from "hyparquet";
import { beforeAll, expect, test } from "vitest";
import { main } from "../../src/app/cli/main.ts";
import { temporaryFolder } from "../support/folders.ts";
import { type CommandLine, commandLine, Gathered } from "./command-line.ts";
import { root } from "./proximal.ts";

const sample = join(root, "src/app/demo/sample-log.csv");

/** Read by every test here, and changed by none. */
const data = temporaryFolder();
beforeAll(async () => {
  const [stdout, stderr] = [new Gathered(), new Gathered()];
  const io = { environment: { PROXIMAL_DATA: data }, stdin: Readable.from([]), stdout, stderr };
  const code = await main(["import", "interactions", sample], { ...io, signal: new AbortController().signal });
  if (code !== 0) throw new Error(stderr.text);
});
const withSample = (): CommandLine => commandLine({ PROXIMAL_DATA: data });

type Row = Readonly<Record<string, unknown>>;
const text = (row: Row): string =>
  JSON.stringify(row, (_name, value) => (typeof value === "bigint" ? String(value) : value));
const ndjson = (lines: string): Row[] => lines.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));

test("the log in every format says the same, and no learner's own id", async () => {
  const cli = withSample();
  const own = ndjson((await cli.run("events", "export")).stdout);
  const learners = new Set(own.flatMap(({ data }) => (data as { learnerId?: string }).learnerId ?? []));
  expect(learners.size).toBe(30);
  const file = (format: string) => join(cli.folder, `events.${format}`);
  for (const format of ["ndjson", "csv", "parquet"]) {
    const { code, stderr } = await cli.run("export", "events", "--out", file(format));
    expect([code, stderr]).toEqual([0, expect.stringContaining(`${own.length.toLocaleString("en-US")} rows`)]);
  }
  const rows = ndjson(readFileSync(file("ndjson"), "utf8"));
  expect(rows.map(({ position }) => position)).toEqual(own.map(({ position }) => position));
  const shown = new Set(rows.flatMap(({ learnerId }) => learnerId ?? []));
  expect(shown.size).toBe(learners.size);
  const bytes = readFileSync(file("parquet"));
  const read = (await parquetReadObjects({ file: new Uint8Array(bytes).buffer })) as Row[];
  expect(
    read.map(({ position, learnerId, recordedAt }) => [
      Number(position),
      learnerId,
      (recordedAt as Date).toISOString(),
    ]),
  ).toEqual(rows.map(({ position, learnerId = null, recordedAt }) => [position, learnerId, recordedAt]));
  const texts = [readFileSync(file("ndjson"), "utf8"), readFileSync(file("csv"), "utf8"), read.map(text).join("\n")];
  const named = [...learners].filter((learner) => texts.some((one) => new RegExp(`\\b${learner}\\b`).test(one)));
  expect(named).toEqual([]);
  expect(readFileSync(file("csv"), "utf8").trimEnd().split("\n")).toHaveLength(own.length + 1);
});

test("filters and positions: parts put together are the whole", async () => {
  const cli = withSample();
  const exported = async (...options: string[]) => ndjson((await cli.run("export", "events", ...options)).stdout);
  const all = await exported();
  const middle = 2_000;
  expect([...(await exported("--up-to", `${middle}`)), ...(await exported("--after", `${middle}`))]).toEqual(all);
  expect(await exported("--type", "SkillDefined")).toEqual(all.filter(({ type }) => type === "SkillDefined"));
  expect(await exported("--category", "item", "--category", "skill")).toEqual(
    all.filter(({ category }) => category !== "learner"),
  );
  const ada = (await exported("--learner", "amara")).map(({ learnerId }) => learnerId);
  expect(new Set(ada).size).toBe(1);
  expect(await exported("--learner", "amara", "--learner", "pablo")).toHaveLength(
    ada.length + (await exported("--learner", "pablo")).length,
  );
  expect(await exported("--track", "none")).toEqual([]);
  expect(await exported("--from", "2100-01-01T00:00:00Z")).toEqual([]);
  expect(await exported("--to", "2100-01-01T00:00:00Z", "--from", "2000-01-01T00:00:00Z")).toEqual(all);
});

test("pseudonyms stay the same, follow a secret that is given, and can be left out", async () => {
  const cli = withSample();
  const first = async (more: Record<string, string>, ...options: string[]) => {
    const argv = ["export", "events", "--type", "InteractionRecorded", "--up-to", "250", ...options];
    const { stdout } = await cli.runWith({ environment: { PROXIMAL_DATA: data, ...more } }, ...argv);
    return ndjson(stdout)[0];
  };
  const [stored, again] = [await first({}), await first({})];
  expect(again).toEqual(stored);
  const given = await first({ PROXIMAL_EXPORT_SECRET: "a secret of sixteen or more" });
  expect(given?.learnerId).not.toBe(stored?.learnerId);
  const plain = await first({}, "--plain-ids");
  expect(String(plain?.learnerId)).toMatch(/^[a-z]+$/);
  expect(plain).toMatchObject({ itemId: stored?.itemId, correct: stored?.correct });
});

test("read models: rows of learners, items and what is popular", async () => {
  const cli = withSample();
  const rows = async (...options: string[]) => ndjson((await cli.run("export", ...options)).stdout);
  const scores = await rows("scores");
  expect(new Set(scores.map(({ learnerId }) => learnerId)).size).toBe(30);
  for (const { mastery } of scores) expect(mastery).toBeLessThanOrEqual(1);
  const next = await rows("next", "--learner", "amara", "--plain-ids");
  expect(next.map(({ learnerId, place }) => [learnerId, place])).toEqual(next.map((_, at) => ["amara", at + 1]));
  expect(next).toHaveLength(30);
  const items = await rows("items");
  const popular = await rows("popular");
  const most = popular.find(({ scope, window, place }) => scope === "all" && window === "all" && place === 1);
  expect(items.find(({ itemId }) => itemId === most?.itemId)).toMatchObject({ learners: most?.learners });
  const answers = ndjson((await cli.run("events", "export", "--type", "InteractionRecorded")).stdout);
  expect(items.reduce((sum, { attempts }) => sum + Number(attempts), 0)).toBe(answers.length);
});

test("stopped by Ctrl-C, it goes on exactly where it was", { timeout: 180_000 }, async () => {
  const cli = withSample();
  const [whole, cut] = ["whole", "cut"].map((name) => join(cli.folder, `${name}.csv`));
  if (whole === undefined || cut === undefined) throw new Error("unreachable");
  // The sample is shorter than what lies between two checkpoints: one is made by hand, as an export of half the log leaves it.
  await cli.run("export", "events", "--out", whole);
  await cli.run("export", "events", "--out", cut, "--up-to", "3000");
  const bytes = readFileSync(cut).length;
  const input = { what: "events", format: "csv", plainIds: false, dictionary: false };
  const head = ndjson((await cli.run("events", "export")).stdout).length;
  const saved = { position: 3000, upTo: head, rows: 3000, table: { begun: true } };
  const files = [{ name: "events.csv", mediaType: "text/csv; charset=utf-8", bytes }];
  cli.file("cut.csv.resume.json", JSON.stringify({ kind: "export", input, state: saved, files }));
  expect((await cli.run("export", "events", "--out", cut)).stderr).toContain("--resume goes on with it");
  const other = await cli.run("export", "events", "--out", cut, "--resume", "--track", "x");
  expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining("the one that was stopped was another") });
  const resumed = await cli.run("export", "events", "--out", cut, "--resume");
  expect(resumed).toMatchObject({ code: 0, stderr: expect.stringContaining(`${head.toLocaleString("en-US")} rows`) });
  expect(readFileSync(cut).equals(readFileSync(whole))).toBe(true);
  expect(existsSync(`${cut}.resume.json`)).toBe(false);
  expect((await cli.run("export", "events", "--out", cut, "--resume")).stderr).toContain("there is nothing to resume");
});

test("an export of rows goes on after the last learner that was saved", async () => {
  const cli = withSample();
  const [whole, cut] = ["whole", "cut"].map((name) => join(cli.folder, `${name}.ndjson`)) as [string, string];
  await cli.run("export", "scores", "--out", whole);
  const lines = readFileSync(whole, "utf8").trimEnd().split("\n");
  const learnerOf = (line: string | undefined): string => JSON.parse(line ?? "{}").learnerId;
  const after = learnerOf(lines[Math.floor(lines.length / 2)]);
  const saved = lines.filter((line) => learnerOf(line) <= after);
  const written = `${saved.join("\n")}\n`;
  cli.file("cut.ndjson", `${written}{"learnerId":"what came after the checkpoint`);
  const state = { after, rows: saved.length, table: { begun: true } };
  const files = [{ name: "scores.ndjson", mediaType: "application/x-ndjson", bytes: Buffer.byteLength(written) }];
  const input = { what: "scores", format: "ndjson", plainIds: false, dictionary: false };
  cli.file("cut.ndjson.resume.json", JSON.stringify({ kind: "export", input, state, files }));
  const resumed = await cli.run("export", "scores", "--out", cut, "--resume");
  expect(resumed).toMatchObject({ code: 0, stderr: expect.stringContaining(`${lines.length} rows`) });
  expect(readFileSync(cut, "utf8")).toBe(readFileSync(whole, "utf8"));
});

test("a reader that has seen enough is no failure; a stop before the first checkpoint is said", async () => {
  const cli = withSample();
  const closed = new AbortController();
  class Head extends Gathered {
    override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
      super._write(chunk, encoding, done);
      closed.abort();
    }
  }
  expect(await cli.runWith({ stdout: new Head(), signal: closed.signal }, "export", "events")).toMatchObject({
    code: 0,
    stderr: "",
  });
  const stopped = await cli.runWith(
    { signal: AbortSignal.abort() },
    "export",
    "events",
    "--out",
    join(cli.folder, "a.csv"),
  );
  expect(stopped).toMatchObject({ code: 1, stderr: expect.stringContaining("stopped before its first checkpoint") });
});

test("the dictionary, and what is refused in one line", async () => {
  const cli = commandLine();
  const printed = await cli.run("export", "scores", "--dictionary");
  expect(printed.stdout).toContain("| `mastery` | number | Probability that the skill is mastered |");
  const file = join(cli.folder, "columns.json");
  await cli.run("export", "events", "--dictionary", file);
  expect(JSON.parse(readFileSync(file, "utf8")).columns[0]).toMatchObject({ name: "position", type: "integer" });
  const refused = async (...argv: string[]) => (await cli.run("export", ...argv)).stderr;
  expect(await refused("events", "--format", "parquet")).toBe("proximal: Parquet goes into a file: --out FILE\n");
  expect(await refused("events", "--from", "yesterday")).toMatch(/^proximal: from: .*\n$/);
  expect(await refused("scores", "--track", "a")).toContain("unknown option '--track'");
  expect(await refused("events", "--out", join(cli.folder, "no", "such", "folder.csv"))).toMatch(
    /^proximal: cannot write .*\n$/,
  );
});
