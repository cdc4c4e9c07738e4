import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { commandLine, Gathered } from "./command-line.ts";

const csv = (rows: readonly string[]) => ["seq,user_id,item_id,skill_ids,timestamp,correct", ...rows, ""].join("\n");

/** Two learners, three items, two skills. */
const small = csv(["0,8,7,6,0,0", "1,8,23,6;9,0,1", "2,9,7,6,1700000000,1", "3,9,5,,0,1"]);

const exported = async (cli: ReturnType<typeof commandLine>, ...more: string[]) => {
  const { stdout } = await cli.run("events", "export", ...more);
  return stdout
    .trim()
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
};

describe("import interactions", () => {
  test("records each row once and publishes what the catalogue does not know", async () => {
    const cli = commandLine();
    const { code, stdout, stderr } = await cli.run("import", "interactions", cli.file("a.csv", small));
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout.replace(/in \S+ s \(\S+\/s\)/, "in T")).toBe(
      [
        `${join(cli.folder, "a.csv")}: 4 rows in T`,
        "  accepted   4",
        "  duplicates 0",
        "  refused    0",
        "published, as the catalogue did not know them: 3 items, 2 skills",
        "3 rows have no time: recorded as of now, in the order of the file",
        "",
      ].join("\n"),
    );
    const events = await exported(cli, "--type", "InteractionRecorded");
    expect(
      events.map((e) => [e.data.learnerId, e.data.interactionId, e.data.itemId, e.data.skillIds, e.data.correct]),
    ).toEqual([
      ["8", "seq-0", "7", ["6"], false],
      ["8", "seq-1", "23", ["6", "9"], true],
      ["9", "seq-2", "7", ["6"], true],
      ["9", "seq-3", "5", [], true],
    ]);
    expect(events[2].data.occurredAt).toBe("2023-11-14T22:13:20.000Z");
    const items = await exported(cli, "--type", "ItemPublished");
    expect(items.map((e) => [e.data.title, e.data.skillIds])).toEqual([
      ["Item 7", ["6"]],
      ["Item 23", ["6", "9"]],
      ["Item 5", []],
    ]);

    const again = await cli.run("import", "interactions", cli.file("a.csv", small), "--json");
    expect(again.json).toMatchObject({
      rows: 4,
      accepted: 0,
      duplicates: 4,
      refused: 0,
      published: { items: 0, skills: 0 },
    });
    const longer = cli.file("a.csv", `${small}4,8,7,6,0,1\n`);
    expect((await cli.run("import", "interactions", longer, "--json")).json).toMatchObject({
      accepted: 1,
      duplicates: 4,
    });
  });

  test("says of each refused row where and why, exits with 2, and stores the others", async () => {
    const cli = commandLine();
    const bad = csv([
      "0,8,7,6,0,0",
      "1,8,7,6,0,maybe",
      "2,8,7,6,0",
      "3,,7,6,0,1",
      "4,8,7,6,946684799,1",
      "5,8,7,6,0,1",
    ]);
    const { code, stdout } = await cli.run(
      "import",
      "interactions",
      cli.file("b.csv", bad),
      "--refused",
      join(cli.folder, "refused.ndjson"),
    );
    expect(code).toBe(2);
    expect(stdout).toContain("  accepted   2\n");
    expect(stdout).toContain("  refused    4\n");
    expect(stdout).toContain('  line 3: correct: 0 or 1, not "maybe"\n');
    expect(stdout).toContain("  line 4: 5 columns where the header has 6\n");
    expect(stdout).toMatch(/ {2}line 5: learnerId: /);
    expect(stdout).toContain("  line 6: occurredAt: before 2000-01-01\n");
    const lines = readFileSync(join(cli.folder, "refused.ndjson"), "utf8")
      .trim()
      .split("\n")
      .map((l) => JSON.parse(l));
    expect(lines.map((l) => [l.line, l.row, l.id])).toEqual([
      [3, 2, null],
      [4, 3, null],
      [5, 4, "seq-3"],
      [6, 5, "seq-4"],
    ]);
  });

  test("shows the first twenty refused rows and writes all of them", async () => {
    const cli = commandLine();
    const file = cli.file("c.csv", csv(Array.from({ length: 50 }, (_, i) => `${i},8,7,6,0,x`)));
    const refused = join(cli.folder, "all.ndjson");
    const { stdout, code } = await cli.run("import", "interactions", file, "--refused", refused);
    expect(code).toBe(2);
    expect(stdout.match(/^ {2}line \d+: /gm)).toHaveLength(20);
    expect(stdout).toContain("  and 30 more\n");
    expect(readFileSync(refused, "utf8").trim().split("\n")).toHaveLength(50);
  });

  test("the same id with other content is refused, not stored over", async () => {
    const cli = commandLine();
    await cli.run("import", "interactions", cli.file("d.csv", small));
    const other = cli.file("d.csv", small.replace("0,8,7,6,0,0", "0,8,7,6,0,1"));
    const { code, stdout } = await cli.run("import", "interactions", other);
    expect(code).toBe(2);
    expect(stdout).toContain("  line 2: correct: not what was stored under this id");
    expect(stdout).toContain("1 rows have the id of others: for another log of the same learners give --id-prefix");
    const prefixed = await cli.run("import", "interactions", other, "--id-prefix", "spring-", "--json");
    expect(prefixed).toMatchObject({ code: 0, json: { accepted: 4, duplicates: 0 } });
  });

  test("reads other columns by --map, NDJSON, and standard input", async () => {
    const cli = commandLine();
    const mapped = cli.file("e.csv", "who;what;ok\nann;i1;true\n");
    const map = ["--map", "who=learnerId", "--map", "what=itemId", "--map", "ok=correct", "--delimiter", ";"];
    expect((await cli.run("import", "interactions", mapped, ...map, "--json")).json).toMatchObject({ accepted: 1 });
    const ndjson = `{"learnerId":"ann","itemId":"i1","kind":"view","skillIds":["s"]}\n{"learnerId":"ann"}\n`;
    const stdin = Readable.from([ndjson]);
    const piped = await cli.runWith(
      { stdin },
      "import",
      "interactions",
      "-",
      "--no-catalogue",
      "--id-prefix",
      "piped-",
      "--json",
    );
    expect(piped.code).toBe(2);
    expect(piped.json).toMatchObject({ file: "standard input", accepted: 1, refused: 1, published: { items: 0 } });
    expect(piped.json.refusals[0]).toMatchObject({ line: 2 });
    expect(piped.json.refusals[0].problem).toContain("itemId");
    expect((await exported(cli)).map((e) => e.type)).toEqual([
      "ItemPublished",
      "InteractionRecorded",
      "InteractionRecorded",
    ]);
  });

  test("stopped by Ctrl-C it says where, and goes on there; --restart begins again", async () => {
    const cli = commandLine();
    const file = cli.file(
      "f.csv",
      csv(Array.from({ length: 6_000 }, (_, i) => `${i},u${i % 50},i${i % 20},s,0,${i % 2}`)),
    );
    // Ctrl-C while the third thousand is read: the signal is asked once for each row.
    const { signal } = new AbortController();
    let asked = 0;
    Object.defineProperty(signal, "aborted", { get: () => ++asked > 2500 });
    const stderr = new Gathered();
    const stopped = await cli.runWith({ signal, stderr }, "import", "interactions", file, "--json");
    expect(stopped.code).toBe(1);
    const row = Number(/stopped after row ([\d,]+): run it again/.exec(stderr.text)?.[1]?.replaceAll(",", ""));
    expect(row).toBeGreaterThanOrEqual(1000);
    expect(row).toBeLessThan(6_000);
    const ended = await cli.run("import", "interactions", file, "--json");
    expect(ended.stderr).toContain(`going on after row ${row.toLocaleString("en-US")}, where this import was stopped`);
    expect(ended.json).toMatchObject({ rows: 6_000, accepted: 6_000, duplicates: 0 });
    const all = await exported(cli, "--type", "InteractionRecorded");
    expect(all.map((e) => e.data.interactionId)).toEqual(Array.from({ length: 6_000 }, (_, i) => `seq-${i}`));
    const restarted = await cli.run("import", "interactions", file, "--json", "--restart");
    expect(restarted.json).toMatchObject({ rows: 6_000, accepted: 0, duplicates: 6_000 });
  });

  test.each([
    [["import", "interactions", "none.csv"], 1, "none.csv: there is no such file"],
    [["import", "interactions"], 64, "missing required argument 'file'"],
    [
      ["import", "interactions", "x.csv", "--map", "nonsense"],
      64,
      "--map nonsense: write it as column=field, like --map student=learnerId",
    ],
    [
      ["import", "interactions", "x.csv", "--format", "xml"],
      64,
      "option '--format <format>' argument 'xml' is invalid. Allowed choices are csv, tsv, ndjson, json.",
    ],
  ])("%j exits with %i and says what to do", async (argv, code, message) => {
    const result = await commandLine().run(...argv);
    expect(result).toMatchObject({ code, stdout: "", stderr: `proximal: ${message}\n` });
  });

  test("a file without the columns it needs is refused as a whole, with an example", async () => {
    const cli = commandLine();
    const { code, stderr } = await cli.run("import", "interactions", cli.file("g.csv", "a,b\n1,2\n"));
    expect(code).toBe(64);
    expect(stderr).toBe(
      `proximal: ${join(cli.folder, "g.csv")}: no column for learnerId and itemId; the file has a, b; say which, like --map a=learnerId\n`,
    );
  });
});

describe("import of a catalogue", () => {
  test("skills in any order, items and tracks; a repeat changes nothing", async () => {
    const cli = commandLine();
    const skills = cli.file("skills.csv", "skill_id,title,prerequisites\nadd,To add,count:0.5\ncount,To count,\n");
    const items = cli.file(
      "items.csv",
      'item_id,title,skill_ids,difficulty,tags\ni1,"One, two",count,-0.5,a;b\ni2,Sum,add;count,,\n',
    );
    const tracks = cli.file(
      "tracks.json",
      JSON.stringify({ tracks: [{ trackId: "t", title: "All", skillIds: ["add"] }] }),
    );
    expect((await cli.run("import", "skills", skills)).stdout).toBe(
      `${skills}: 2 skills published, 0 revised, 0 unchanged, 0 refused\n`,
    );
    expect((await cli.run("import", "items", items, "--json")).json).toMatchObject({ published: 2, refused: 0 });
    expect((await cli.run("import", "tracks", tracks, "--json")).json).toMatchObject({ published: 1 });
    expect((await cli.run("import", "items", items, "--json")).json).toMatchObject({ published: 0, unchanged: 2 });
    const [, , first, second] = await exported(cli);
    expect(first.data).toMatchObject({
      itemId: "i1",
      title: "One, two",
      skillIds: ["count"],
      difficulty: -0.5,
      tags: ["a", "b"],
    });
    expect(second.data).toMatchObject({ itemId: "i2", skillIds: ["add", "count"] });
  });

  test("a bad line is refused with its line, its neighbours are not", async () => {
    const cli = commandLine();
    const file = cli.file(
      "items.ndjson",
      '{"itemId":"a","title":"A","skillIds":[]}\n{"itemId":"b"\n{"itemId":"c","title":"C","skillIds":["nope"]}\n{"itemId":"d","title":"D","skillIds":[],"colour":"red"}\n',
    );
    const { code, stdout } = await cli.run("import", "items", file);
    expect(code).toBe(2);
    expect(stdout).toContain("1 items published, 0 revised, 0 unchanged, 3 refused");
    expect(stdout).toMatch(/ {2}line 2: not JSON: /);
    expect(stdout).toMatch(/ {2}line 3: .*nope/);
    expect(stdout).toContain("  line 4: colour: unknown field");
  });

  test("a cycle is named", async () => {
    const cli = commandLine();
    const file = cli.file("s.csv", "skill_id,title,prerequisites\na,A,b\nb,B,a\n");
    const { code, stdout } = await cli.run("import", "skills", file);
    expect(code).toBe(2);
    expect(stdout).toMatch(/ {2}line 3: .*cycle: b -> a -> b/);
  });
});
