import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldSkillGraph } from "../../domain/item-bank/skill-graph.ts";
import { type CaseOptions, readCase } from "./case.ts";
import { elementLines } from "./element-lines.ts";
import { UnreadableFile } from "./found.ts";

const read = (text: string, options: Partial<CaseOptions> = {}) => {
  const json = { value: JSON.parse(text) as unknown, lines: elementLines(text) };
  return readCase(json, { file: "f.json", skillId: "code", known: () => null, ...options });
};

const skillsOf = ({ elements }: ReturnType<typeof read>) => elements.filter((one) => one.kind === "skill");
const linesOf = ({ elements }: ReturnType<typeof read>) =>
  elements.flatMap((one) =>
    one.kind === "skill" ? [] : [`${one.kind} ${one.at.line} ${one.kind === "refused" ? one.problem : one.reason}`],
  );

interface Parts {
  readonly items?: readonly unknown[];
  readonly associations?: readonly unknown[];
}

/** A package with one element on each line: items from line 3 on. */
const packageOf = ({ items = [], associations = [] }: Parts): string => {
  const list = (all: readonly unknown[]) => all.map((one) => JSON.stringify(one)).join(",\n");
  return `{"CFDocument":{"identifier":"doc","title":"D"},\n"CFItems":[\n${list(items)}\n],"CFAssociations":[\n${list(associations)}\n]}`;
};
const item = (code: string) => ({
  identifier: `id-${code}`,
  fullStatement: `Statement ${code}`,
  humanCodingScheme: code,
});
const link = (associationType: string, origin: string, destination: string) => ({
  ...{ identifier: `${origin} ${destination}`, associationType },
  originNodeURI: { identifier: `id-${origin}` },
  destinationNodeURI: { identifier: `id-${destination}` },
});

describe("a competency framework", () => {
  test("the example: children, prerequisites, and the names a skill has elsewhere", () => {
    const framework = read(readFileSync("examples/fractions-case.json", "utf8"));
    expect(framework.title).toBe("School mathematics: fractions");
    const skills = skillsOf(framework);
    expect(
      skills.map(({ skillId, title, parentIds, prerequisites }) => [
        skillId,
        title,
        parentIds,
        prerequisites.map((p) => p.skillId),
      ]),
    ).toEqual([
      ["F", "Fractions", [], []],
      ["F.1", "Parts of a whole", ["F"], []],
      ["F.2", "Equal fractions", ["F"], ["F.1"]],
      ["F.3", "Comparing", ["F"], ["F.2"]],
      ["F.4", "Adding", ["F"], []],
      ["F.4.a", "Like denominators", ["F.4"], ["F.1"]],
      ["F.4.b", "Unlike denominators", ["F.4"], ["F.4.a", "F.2"]],
    ]);
    const [identifier = "", uri] = skills[0]?.externalIds ?? [];
    expect(uri).toBe(`https://frameworks.example/ims/case/v1p0/CFItems/${identifier}`);
    expect(linesOf(framework)).toEqual([
      expect.stringMatching(/^leftOut \d{3} associations of type exactMatchOf: isChildOf and precedes are used$/),
    ]);
  });

  test("by identifier; wrapped in CFPackage as some exports are, with lines all the same", () => {
    const text = `{"CFPackage":\n${packageOf({ items: [item("a"), { identifier: "id-b" }] })}}`;
    const framework = read(text, { skillId: "identifier" });
    expect(skillsOf(framework).map(({ skillId, externalIds }) => [skillId, externalIds])).toEqual([["id-a", ["a"]]]);
    expect(linesOf(framework)).toEqual([expect.stringMatching(/^refused 5 fullStatement: /)]);
  });

  test("an association may lead to a skill of the catalogue that came from another framework", () => {
    const text = packageOf({ items: [item("b")], associations: [link("precedes", "a", "b")] });
    const [skill] = skillsOf(read(text, { known: (id) => (id === "id-a" ? "grade-3" : null) }));
    expect(skill?.prerequisites).toEqual([{ skillId: "grade-3" }]);
  });

  test.each([["[]"], ["{}"], ['{"CFDocument":{"title":"no id"},"CFItems":[]}'], ["null"], ["7"]])(
    "%s is no framework",
    (text) => {
      expect(() => read(text)).toThrow(UnreadableFile);
    },
  );
});

test("what cannot stand is refused by its line, and its neighbours stand", () => {
  const framework = read(
    packageOf({
      items: [
        item("a"),
        7,
        { identifier: "id-x", fullStatement: "" },
        { identifier: "id-y", fullStatement: "Y" },
        { ...item("a"), identifier: "other" },
        item("b"),
      ],
      associations: [
        link("precedes", "a", "b"),
        link("precedes", "a", "nowhere"),
        link("isChildOf", "y", "a"),
        { associationType: "precedes" },
        link("hasSkillLevel", "a", "b"),
        link("precedes", "b", "a"),
        link("precedes", "a", "a"),
        { ...link("isChildOf", "a", "doc"), destinationNodeURI: { identifier: "doc" } },
        link("isChildOf", "a", "b"),
        link("isChildOf", "b", "a"),
      ],
    }),
  );
  expect(skillsOf(framework)).toMatchObject([
    { skillId: "a", prerequisites: [], parentIds: ["b"] },
    { skillId: "b", prerequisites: [{ skillId: "a" }], parentIds: [] },
  ]);
  expect(linesOf(framework)).toEqual([
    expect.stringMatching(/^refused 4 element: /),
    expect.stringMatching(/^refused 5 fullStatement: /),
    "refused 6 it has no humanCodingScheme to be its id: take the identifier instead",
    "refused 7 the id a is taken by line 3",
    "refused 11 precedes: id-nowhere is no item of this framework that could be read",
    "refused 12 isChildOf: id-y is no item of this framework that could be read",
    expect.stringMatching(/^refused 13 originNodeURI: /),
    "leftOut 14 associations of type hasSkillLevel: isChildOf and precedes are used",
    "refused 15 precedes: it closes a cycle: a -> b -> a",
    "refused 16 precedes: it closes a cycle: a -> a",
    "refused 19 isChildOf: it closes a cycle: b -> a -> b",
  ]);
});

test("whatever is linked, prerequisites have no cycle, and each association is in or told of", () => {
  const codes = ["a", "b", "c", "d", "e"];
  const pair = fc.tuple(fc.constantFrom(...codes), fc.constantFrom(...codes));
  fc.assert(
    fc.property(fc.uniqueArray(pair, { selector: (p) => p.join(), maxLength: 15 }), (pairs) => {
      const framework = read(
        packageOf({ items: codes.map(item), associations: pairs.map(([a, b]) => link("precedes", a, b)) }),
      );
      const skills = skillsOf(framework);
      const given = skills.map(({ skillId, prerequisites }) => ({
        skillId,
        prerequisites: prerequisites.map((p) => ({ ...p, weight: 1 })),
      }));
      const graph = foldSkillGraph(given);
      // The fold leaves out edges that close a cycle: none is left out here.
      for (const { skillId, prerequisites } of given) expect(graph.prerequisites.get(skillId)).toEqual(prerequisites);
      const kept = skills.reduce((sum, { prerequisites }) => sum + prerequisites.length, 0);
      expect(kept + linesOf(framework).length).toBe(pairs.length);
    }),
  );
});

describe("lines of elements", () => {
  test("of arrays at the top and in objects, and of nothing deeper", () => {
    const text = '[\n1, {"a": [\n2]},\n\n"x", [3]]';
    expect([...elementLines(text)]).toEqual([
      ["0", 2],
      ["1", 2],
      ["2", 5],
      ["3", 5],
    ]);
    expect([...elementLines('{"a":{"b":[\n1]},\n"c":[{"d":[1]},\n2]}')]).toEqual([
      ["a/b/0", 2],
      ["c/0", 3],
      ["c/1", 4],
    ]);
  });

  test("every element of any array has the line it stands on", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 20 }), (values) => {
        const text = `[\n${values.map((value) => JSON.stringify(value)).join(",\n")}\n]`;
        const expected = values.map((_, i): [string, number] => [`${i}`, i + 2]);
        expect([...elementLines(text)]).toEqual(expected);
      }),
    );
  });
});
