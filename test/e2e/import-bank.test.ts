import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { qtiItem, qtiLinks, qtiManifest, qtiResource } from "../support/qti.ts";
import { zipOf } from "../support/zip.ts";
import { type CommandLine, commandLine } from "./command-line.ts";

/** Writes a package of the items named, each linked to the skills named, and gives its path. */
function packageOf(
  cli: CommandLine,
  items: Readonly<Record<string, readonly string[]>>,
  titles: Record<string, string> = {},
) {
  const ids = Object.keys(items);
  const manifest = qtiManifest(ids.map((id) => qtiResource(id, { metadata: qtiLinks(...(items[id] ?? [])) })));
  const files = ids.map((id) => ({ name: `${id}.xml`, content: qtiItem(id, titles[id]) }));
  const path = join(cli.folder, "bank.zip");
  writeFileSync(path, zipOf([{ name: "imsmanifest.xml", content: manifest }, ...files]));
  return path;
}

const events = async (cli: CommandLine): Promise<string[]> => {
  const { stdout } = await cli.run("events", "export");
  const all = stdout.split("\n").filter((line) => line !== "");
  return all.map((line) => JSON.parse(line)).map(({ type, stream }) => `${type} ${stream}`);
};

test("the examples: a framework, then a package that links to it; again, nothing changes", async () => {
  const cli = commandLine();
  const framework = ["import", "case", "examples/fractions-case.json", "--skill-id", "code"];
  expect((await cli.run(...framework)).stdout).toMatch(/: 7 skills published, 0 revised, 0 unchanged, 0 refused\n/);
  const bank = ["import", "qti", "examples/fractions-qti", "--content-base", "https://cdn.example/fractions/"];
  const first = await cli.run(...bank);
  expect([first.code, first.stdout]).toEqual([
    0,
    expect.stringMatching(/: 5 items published, .*\n {2}left out, 1: a test/),
  ]);
  const { stdout } = await cli.run("events", "export", "--type", "ItemPublished");
  const item = stdout
    .split("\n")
    .map((line) => JSON.parse(line || "{}"))
    .find(({ stream }) => stream === "item-by-size");
  expect(item.data).toEqual({
    ...{ itemId: "by-size", title: "Smallest first", skillIds: ["F.3", "F.2"], kind: "exercise", difficulty: 0 },
    ...{ contentUri: "https://cdn.example/fractions/items/by-size.xml", tags: ["order", "no calculator"] },
    responses: [{ responseId: "RESPONSE", interaction: "order", cardinality: "ordered", correct: ["A", "C", "B"] }],
    source: "proximal-examples-fractions",
  });
  const before = await events(cli);
  expect((await cli.run(...framework, "--json")).json).toMatchObject({ published: 0, revised: 0, unchanged: 7 });
  expect((await cli.run(...bank, "--json")).json).toMatchObject({ published: 0, revised: 0, unchanged: 5 });
  expect(await events(cli)).toEqual(before);
});

describe("a dry run", () => {
  test("stores nothing, and says what the run then does", async () => {
    const cli = commandLine();
    await cli.run("import", "qti", packageOf(cli, { a: [], b: [], c: [] }));
    const before = await events(cli);
    const changed = packageOf(cli, { b: [], c: [], d: [] }, { c: "Another title" });
    const planned = await cli.run("import", "qti", changed, "--dry-run", "--retire-missing");
    expect(planned.stdout.split("\n").map((line) => line.replace(changed, "FILE"))).toEqual([
      "dry run: nothing was stored; a run without --dry-run would say:",
      "FILE: 1 items published, 1 revised, 1 unchanged, 1 retired, 0 refused",
      "  ItemRevised c: title",
      "  ItemPublished d: Title of d",
      "  ItemRetired a: Title of a",
      "",
    ]);
    expect(await events(cli)).toEqual(before);
    const done = await cli.run("import", "qti", changed, "--retire-missing", "--json");
    expect(done.json).toMatchObject({ dryRun: false, published: 1, revised: 1, unchanged: 1, retired: 1 });
    expect((await events(cli)).slice(before.length)).toEqual([
      "ItemRevised item-c",
      "ItemPublished item-d",
      "ItemRetired item-a",
    ]);
  });
});

describe("--retire-missing", () => {
  test("retires what the same source had, nobody else's, and nothing where something was refused", async () => {
    const cli = commandLine();
    await cli.run("import", "items", cli.file("own.csv", "item_id,title\nmine,Mine\n"));
    await cli.run("import", "qti", packageOf(cli, { a: [], b: [] }));
    const bad = await cli.run("import", "qti", packageOf(cli, { a: ["nobody-defined-this"] }), "--retire-missing");
    expect(bad.code).toBe(2);
    expect(bad.stdout).toContain("0 retired, 1 refused");
    expect(bad.stdout).toContain("nothing was retired: what was refused may be what seems to be missing");
    const good = await cli.run("import", "qti", packageOf(cli, { a: [] }), "--retire-missing", "--json");
    expect(good.json).toMatchObject({ unchanged: 1, retired: 1 });
    expect((await events(cli)).at(-1)).toBe("ItemRetired item-b");
  });

  test("of a file that does not say whose entries they are asks for --source", async () => {
    const cli = commandLine();
    const file = cli.file("s.csv", "skill_id,title\nx,X\ny,Y\n");
    const refused = await cli.run("import", "skills", file, "--retire-missing");
    expect([refused.code, refused.stderr]).toEqual([64, expect.stringContaining("say which with --source")]);
    await cli.run("import", "skills", file, "--source", "list-1");
    const shorter = cli.file("s.csv", "skill_id,title\ny,Y\n");
    const { json } = await cli.run("import", "skills", shorter, "--source", "list-1", "--retire-missing", "--json");
    expect(json).toMatchObject({ unchanged: 1, retired: 1 });
  });
});

describe("links to skills that the catalogue does not know", () => {
  const items = { a: ["known"], b: ["known", "strange"], c: ["strange", "stranger"] };
  const start = async (): Promise<CommandLine> => {
    const cli = commandLine();
    await cli.run("import", "skills", cli.file("s.csv", "skill_id,title,external_ids\nknown-here,Known,known;other\n"));
    return cli;
  };

  test("refuse their items, each with the links, and are listed", async () => {
    const cli = await start();
    const { code, stdout } = await cli.run("import", "qti", packageOf(cli, items));
    expect(code).toBe(2);
    expect(stdout).toContain("1 items published, 0 revised, 0 unchanged, 2 refused");
    expect(stdout).toContain("imsmanifest.xml:7: the catalogue knows no skill strange! (strange)\n");
    expect(stdout).toContain("the catalogue knows no skill strange! (strange), stranger! (stranger)\n");
    expect(stdout).toContain("2 skills that the catalogue does not know");
    expect(stdout).toContain("  strange! (strange): 2 items\n  stranger! (stranger): 1 items\n");
    expect(await events(cli)).toEqual(["SkillDefined skill-known-here", "ItemPublished item-a"]);
  });

  test("are left out where that is asked for, or define their skills", async () => {
    const cli = await start();
    const path = packageOf(cli, items);
    const ignored = await cli.run("import", "qti", path, "--unknown-skills", "ignore", "--json");
    expect(ignored.json).toMatchObject({ published: 3, refused: 0 });
    expect(ignored.json.leftOut.map(({ reason, count }: { reason: string; count: number }) => [reason, count])).toEqual(
      [
        ["a link to the unknown skill strange! (strange)", 2],
        ["a link to the unknown skill stranger! (stranger)", 1],
      ],
    );
    const planned = await cli.run("import", "qti", path, "--unknown-skills", "define", "--dry-run", "--json");
    expect(planned.json).toMatchObject({ revised: 2, unchanged: 1 });
    const defined = await cli.run("import", "qti", path, "--unknown-skills", "define");
    expect(defined.stdout).toContain("defined, as the catalogue did not know them: 2 skills");
    expect((await events(cli)).slice(4).sort()).toEqual([
      "ItemRevised item-b",
      "ItemRevised item-c",
      "SkillDefined skill-strange",
      "SkillDefined skill-stranger",
    ]);
  });
});

test("a broken row of CSV is refused by its line, its neighbours are not; JSON rows have the lines of the file", async () => {
  const cli = commandLine();
  const csv = cli.file("i.csv", 'item_id,title,skill_ids\na,A\nb,B "or" C"\n,No id\nd,D,\ne,"E\nf,F\n');
  const { code, stdout } = await cli.run("import", "items", csv);
  expect(code).toBe(2);
  expect(stdout).toContain("3 items published, 0 revised, 0 unchanged, 2 refused");
  expect(stdout).toContain("  line 4: itemId: ");
  expect(stdout).toMatch(/ {2}line 6: Quote Not Closed: .*; rows from here on are not read\n/);
  const json = cli.file("i.json", '{"items": [\n{"itemId":"e","title":"E","skillIds":[]},\n\n{"itemId":"f"}]}');
  expect((await cli.run("import", "items", json)).stdout).toContain("  line 4: title: ");
});

test.each([
  [["import", "qti", "nowhere.zip"], "nowhere.zip: there is no such file or folder"],
  [["import", "case", "nowhere.json"], "nowhere.json: there is no such file"],
  [["import", "case", "package.json"], "package.json is not a CASE package (CFPackage): CFDocument: "],
  [["import", "skills", "examples/fractions-case.json"], "is a CASE package: read it by proximal import case"],
  [["import", "items", "examples/fractions-qti/test.xml"], "are read by proximal import qti"],
  [["import", "qti", "docs"], "docs holds no imsmanifest.xml and no other .xml file"],
])("%j fails in one line", async (argv, message) => {
  const { code, stderr } = await commandLine().run(...argv);
  expect([code, stderr.trim().split("\n").length]).toEqual([1, 1]);
  expect(stderr).toContain(message);
});
