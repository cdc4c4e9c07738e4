import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { qtiItem, qtiLinks, qtiManifest, qtiPackage, qtiResource } from "../../../test/support/qti.ts";
import { type ZipEntry, zipOf } from "../../../test/support/zip.ts";
import type { LeftOut, RefusedElement } from "./found.ts";
import { openQti, type QtiItem } from "./qti.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "proximal-qti-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function zipFile(entries: readonly ZipEntry[]): string {
  const path = join(folder(), "package.zip");
  writeFileSync(path, zipOf(entries));
  return path;
}

type Found = QtiItem | RefusedElement | LeftOut;

async function elementsOf(path: string): Promise<Found[]> {
  const bank = await openQti(path);
  const found: Found[] = [];
  try {
    for await (const element of bank.elements()) found.push(element);
    return found;
  } finally {
    bank.close();
  }
}

const ids = (found: readonly Found[]): string[] => found.flatMap((one) => (one.kind === "item" ? [one.itemId] : []));
const lines = (found: readonly Found[]): string[] =>
  found.flatMap((one) => {
    if (one.kind === "item") return [];
    return [
      `${one.kind} ${one.at.file}:${one.at.line} ${one.id}: ${one.kind === "refused" ? one.problem : one.reason}`,
    ];
  });

describe("the example package", () => {
  test("gives items with title, responses, difficulty, tags and links to skills", async () => {
    const bank = await openQti("examples/fractions-qti");
    expect([bank.identifier, bank.total]).toEqual(["proximal-examples-fractions", 5]);
    const found = await elementsOf("examples/fractions-qti");
    expect(lines(found)).toEqual([
      "leftOut imsmanifest.xml:12 res-test: a test (imsqti_test_xmlv3p0): only items are read",
    ]);
    const items = found.filter((one) => one.kind === "item");
    expect(items.map(({ itemId, title, difficulty, tags }) => [itemId, title, difficulty, tags])).toEqual([
      ["shaded-part", "How much is shaded?", -2, ["picture"]],
      ["same-value", "Which are worth one half?", -1, []],
      ["by-size", "Smallest first", 0, ["order", "no calculator"]],
      ["add-unlike", "1/2 + 1/3", 0.75, []],
      ["explain", "Why the same denominator?", null, ["essay"]],
    ]);
    expect(items.map(({ responses }) => responses.map((r) => [r.interaction, r.cardinality, ...r.correct]))).toEqual([
      [["choice", "single", "three-quarters"]],
      [["choice", "multiple", "two-quarters", "five-tenths"]],
      [["order", "ordered", "A", "C", "B"]],
      [
        ["textEntry", "single", "5"],
        ["textEntry", "single", "6"],
      ],
      [["extendedText", "single"]],
    ]);
    expect(items[2]?.links.map(({ label, guid, uri, at }) => [label, uri?.endsWith(`/${guid}`), at.line])).toEqual([
      ["F.3", true, 76],
      ["F.2", true, 81],
    ]);
  });
});

test("QTI 2.1: other names of the same elements, LOM 1.0's strings, one language of several", async () => {
  const item = `<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="old" title="">
    <responseDeclaration identifier="R" cardinality="single" baseType="directedPair">
      <correctResponse><value> a  b </value></correctResponse><mapping><mapEntry mapKey="a b" mappedValue="1"/></mapping>
    </responseDeclaration>
    <itemBody><matchInteraction responseIdentifier="R"/><endAttemptInteraction responseIdentifier="HINT"/></itemBody>
    </assessmentItem>`;
  const metadata = `<imsmd:lom><imsmd:general><imsmd:title><imsmd:langstring xml:lang="fr">Apparier</imsmd:langstring>
    <imsmd:langstring xml:lang="en">Match</imsmd:langstring></imsmd:title></imsmd:general><imsmd:educational><imsmd:difficulty>
    <imsmd:source><imsmd:langstring>LOMv1.0</imsmd:langstring></imsmd:source>
    <imsmd:value><imsmd:langstring>very difficult</imsmd:langstring></imsmd:value></imsmd:difficulty></imsmd:educational></imsmd:lom>`;
  const found = await elementsOf(
    zipFile([
      {
        name: "course/imsmanifest.xml",
        content: qtiManifest([qtiResource("old", { type: "imsqti_item_xmlv2p1", metadata })]),
      },
      { name: "course/old.xml", content: item },
    ]),
  );
  expect(found).toMatchObject([
    {
      ...{ itemId: "old", title: "Apparier", difficulty: 2, path: "course/old.xml" },
      responses: [{ responseId: "R", interaction: "match", cardinality: "single", correct: ["a  b"] }],
    },
  ]);
});

test("a folder without a manifest, and one file alone, are read as items", async () => {
  const path = folder();
  mkdirSync(join(path, "deep"));
  writeFileSync(join(path, "deep", "b.xml"), qtiItem("b"));
  writeFileSync(join(path, "a.xml"), qtiItem("a"));
  writeFileSync(join(path, "note.txt"), "no item");
  writeFileSync(join(path, "test.xml"), '<qti-assessment-test identifier="t"/>');
  symlinkSync("/etc/passwd", join(path, "link.xml"));
  const found = await elementsOf(path);
  expect(ids(found)).toEqual(["a", "b"]);
  expect(lines(found)).toEqual([
    "refused link.xml:1 null: a symbolic link is not read",
    "leftOut test.xml:1 t: assessmentTest: not an item",
  ]);
  expect(ids(await elementsOf(join(path, "a.xml")))).toEqual(["a"]);
});

describe("what is refused, with file, line and reason", () => {
  const declared = (more: string, body = "") =>
    `<qti-assessment-item identifier="x">\n${more}\n<qti-item-body>${body}</qti-item-body></qti-assessment-item>`;
  const choice =
    '<qti-choice-interaction response-identifier="R"><qti-simple-choice identifier="A"/></qti-choice-interaction>';
  const response = (cardinality: string, ...values: string[]) =>
    `<qti-response-declaration identifier="R" cardinality="${cardinality}" base-type="identifier"><qti-correct-response>${values
      .map((value) => `<qti-value>${value}</qti-value>`)
      .join("")}</qti-correct-response></qti-response-declaration>`;
  test.each([
    ["an item without identifier", '\n<qti-assessment-item title="t"/>', "q.xml:2 null: the item has no identifier"],
    ["another document", "<html/>", "q.xml:1 null: its root is <html>, not an assessment item"],
    [
      "XML that breaks off",
      '<qti-assessment-item identifier="x">\n<p>',
      "q.xml:2 x: not well-formed XML: unclosed tag: p",
    ],
    [
      "an answer to nothing",
      declared("", choice),
      'q.xml:3 x: the choice interaction answers "R", which no response declaration declares',
    ],
    [
      "a correct response that is no choice",
      declared(response("single", "Z"), choice),
      'q.xml:2 x: the correct response "Z" is none of the choices of R',
    ],
    [
      "two where there is one",
      declared(response("single", "A", "A"), choice),
      "q.xml:2 x: R is single and has 2 correct values",
    ],
    [
      "a response twice",
      declared(response("single", "A") + response("single", "A")),
      "q.xml:2 x: the response R is declared twice",
    ],
    [
      "a difficulty that is no number",
      declared(
        '<qti-outcome-declaration identifier="DIFFICULTY">\n<qti-default-value><qti-value>hard</qti-value></qti-default-value></qti-outcome-declaration>',
      ),
      'q.xml:2 x: the outcome DIFFICULTY is "hard", not a number of logits',
    ],
  ])("%s", async (_, item, expected) => {
    const manifest = qtiManifest(["q", "good"].map((id) => qtiResource(id)));
    const all = await elementsOf(
      zipFile([
        { name: "imsmanifest.xml", content: manifest },
        { name: "q.xml", content: item },
        { name: "good.xml", content: qtiItem("good") },
      ]),
    );
    expect(lines(all)).toEqual([`refused ${expected}`]);
    expect(ids(all)).toEqual(["good"]);
  });

  test("resources that name no file, one that is not there, one outside, one of another kind, an identifier twice", async () => {
    const resources = [
      '<resource identifier="none" type="imsqti_item_xmlv3p0"/>',
      qtiResource("gone"),
      qtiResource("out", { href: "../../etc/passwd" }),
      qtiResource("far", { href: "https://elsewhere.example/q.xml" }),
      qtiResource("stimulus", { type: "imsqti_stimulus_xmlv3p0" }),
      qtiResource("ancient", { type: "imsqti_xmlv1p2" }),
      qtiResource("page", { type: "webcontent" }),
      qtiResource("one"),
      qtiResource("two", {
        metadata:
          "<lom:lom><lom:educational><lom:difficulty><lom:value>so-so</lom:value></lom:difficulty></lom:educational></lom:lom>",
      }),
      qtiResource("same", { href: "same%20as%20one.xml" }),
    ];
    const found = await elementsOf(
      zipFile([
        { name: "imsmanifest.xml", content: qtiManifest(resources) },
        { name: "one.xml", content: qtiItem("one") },
        { name: "two.xml", content: qtiItem("two") },
        { name: "same as one.xml", content: qtiItem("one") },
      ]),
    );
    expect(ids(found)).toEqual(["one", "two"]);
    expect(lines(found)).toEqual([
      "refused imsmanifest.xml:6 none: the resource names no file (href)",
      "refused imsmanifest.xml:8 r-out: its file ../../etc/passwd lies outside of the package",
      "refused imsmanifest.xml:9 r-far: its file https://elsewhere.example/q.xml lies outside of the package",
      "leftOut imsmanifest.xml:10 r-stimulus: a stimulus (imsqti_stimulus_xmlv3p0): only items are read",
      "leftOut imsmanifest.xml:11 r-ancient: a resource of type imsqti_xmlv1p2 is not read",
      "refused imsmanifest.xml:7 r-gone: the package holds no file gone.xml",
      'leftOut imsmanifest.xml:14 two: the difficulty "so-so" is no word of LOM: the item has no prior',
      "refused same as one.xml:2 one: the identifier is taken by one.xml:2; an identifier names one item",
    ]);
  });

  test("a manifest that breaks off: the resources before that stand", async () => {
    const whole = qtiManifest(["a", "b", "c"].map((id) => qtiResource(id)));
    const content = whole.slice(0, whole.indexOf('<resource identifier="r-c"'));
    const found = await elementsOf(
      zipFile([
        { name: "imsmanifest.xml", content },
        ...["a", "b", "c"].map((id) => ({ name: `${id}.xml`, content: qtiItem(id) })),
      ]),
    );
    expect(ids(found)).toEqual(["a", "b"]);
    expect(lines(found)).toEqual([
      "refused imsmanifest.xml:8 null: not well-formed XML: unclosed tag: resources; resources from here on are not read",
    ]);
  });
});

describe("hostile archives", () => {
  test("names that lead out of the package are refused, and its good items read", async () => {
    const bad = ["../up.xml", "/etc/passwd", "a/../../b.xml", "C:/windows.xml", "..\\back.xml"];
    const found = await elementsOf(zipFile([...bad.map((name) => ({ name, content: "x" })), ...qtiPackage(3)]));
    expect(ids(found)).toEqual(["q0", "q1", "q2"]);
    expect(lines(found)).toHaveLength(bad.length);
    for (const line of lines(found)) expect(line).toMatch(/^refused .*: a path must stay within the package$/);
  });

  test("of a name given twice the first one counts", async () => {
    const found = await elementsOf(zipFile([...qtiPackage(1), { name: "q0.xml", content: "x" }]));
    expect(ids(found)).toEqual(["q0"]);
    expect(lines(found)).toEqual(["refused q0.xml:1 null: the package holds this name twice; the first one counts"]);
  });

  test("an entry that unpacks to more than it says, or to too much, is refused alone", async () => {
    const bomb = Buffer.alloc(64 * 1024 * 1024, " ");
    const resources = ["liar", "bomb", "good"].map((id) => qtiResource(id));
    const found = await elementsOf(
      zipFile([
        { name: "imsmanifest.xml", content: qtiManifest(resources) },
        { name: "liar.xml", content: bomb, deflate: true, claimedBytes: 100 },
        { name: "bomb.xml", content: bomb, deflate: true },
        { name: "good.xml", content: qtiItem("good"), deflate: true },
      ]),
    );
    expect(ids(found)).toEqual(["good"]);
    expect(lines(found)).toEqual([
      expect.stringMatching(/^refused liar.xml:1 null: too many bytes in the stream/),
      expect.stringMatching(/^refused bomb.xml:1 null: longer than 8388608 bytes/),
    ]);
  });

  test.each([
    ["a file cut off", (zip: Buffer) => zip.subarray(0, zip.length - 30)],
    ["a list of files that is not one", (zip: Buffer) => zip.fill(7, zip.length - 200, zip.length - 22)],
  ])("%s is refused as a whole, in words", async (_, spoil) => {
    const path = join(folder(), "package.zip");
    writeFileSync(path, spoil(zipOf(qtiPackage(3))));
    await expect(openQti(path)).rejects.toThrow(
      /package.zip( is not a zip file that can be read|: its list of files is broken): /,
    );
  });
});

test("bad neighbours lose no good item: random edits of random files of a package", async () => {
  const [manifest, ...items] = qtiPackage(12);
  if (manifest === undefined) throw new Error("no manifest");
  const edit = fc.record({ at: fc.nat(200), cut: fc.nat(30), put: fc.uint8Array({ maxLength: 10 }) });
  const spoilt = fc.dictionary(fc.constantFrom(...items.map(({ name }) => name)), edit, { maxKeys: 6 });
  await fc.assert(
    fc.asyncProperty(spoilt, async (edits) => {
      const files = items.map((entry) => {
        const given = edits[entry.name];
        if (given === undefined) return entry;
        const bytes = Buffer.from(entry.content);
        const content = Buffer.concat([bytes.subarray(0, given.at), given.put, bytes.subarray(given.at + given.cut)]);
        return { ...entry, content };
      });
      const path = join(folder(), "package.zip");
      writeFileSync(path, zipOf([manifest, ...files]));
      const found = await elementsOf(path);
      const good = items.filter(({ name }) => edits[name] === undefined).map(({ name }) => name.replace(".xml", ""));
      expect(ids(found)).toEqual(expect.arrayContaining(good));
      // Each of the others is an item still, or is told of: none is lost in silence.
      expect(found).toHaveLength(items.length);
    }),
    { numRuns: 60 },
  );
});

test("links of a resource stand with it, by GUID, and one outside of any is left out", async () => {
  const manifest = qtiManifest([qtiResource("q0", { metadata: qtiLinks("g1", "g2") })]).replace(
    "<organizations/>",
    `<metadata>${qtiLinks("g3")}</metadata><organizations/>`,
  );
  const found = await elementsOf(
    zipFile([
      { name: "imsmanifest.xml", content: manifest },
      { name: "q0.xml", content: qtiItem("q0") },
    ]),
  );
  const [item] = found.filter((one) => one.kind === "item");
  expect(item?.links.map(({ guid, label }) => [guid, label])).toEqual([
    ["g1", "g1!"],
    ["g2", "g2!"],
  ]);
  expect(lines(found)).toEqual(["leftOut imsmanifest.xml:4 g3: a link to a skill outside of any resource"]);
});

test("items are read one at a time: 150 of 1 MB each, with 48 MB for all", { timeout: 180_000 }, () => {
  const ids = Array.from({ length: 150 }, (_, i) => `q${i}`);
  const padding = `<p>${"words ".repeat(170_000)}</p>`;
  const path = zipFile([
    { name: "imsmanifest.xml", content: qtiManifest(ids.map((id) => qtiResource(id))) },
    ...ids.map((id) => ({
      name: `${id}.xml`,
      content: qtiItem(id).replace("<qti-item-body>", `<qti-item-body>${padding}`),
      deflate: true,
    })),
  ]);
  const script = `import { openQti } from ${JSON.stringify(new URL("./qti.ts", import.meta.url).href)};
    const held = [];
    for await (const one of (await openQti(${JSON.stringify(path)})).elements()) held.push(one);
    console.log(held.filter(({ kind }) => kind === "item").length);`;
  const argv = [
    "--disable-warning=ExperimentalWarning",
    "--max-old-space-size=48",
    "--input-type=module",
    "-e",
    script,
  ];
  expect(execFileSync(process.execPath, argv, { encoding: "utf8" }).trim()).toBe("150");
});
