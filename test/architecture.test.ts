import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { codeRules } from "./architecture/code-rules.ts";
import { importRules } from "./architecture/import-rules.ts";
import type { Rule, Tree, Violation } from "./architecture/rules.ts";
import { sizeRules } from "./architecture/size-rules.ts";
import { parseModule, readTree } from "./architecture/source-tree.ts";

/** Who may import whom, and what a file of each layer may hold. CONTRIBUTING.md says the rules in words. */
const rules: Record<string, Rule> = { ...importRules, ...codeRules, ...sizeRules };

const root = dirname(import.meta.dirname);
const fixtures = join(import.meta.dirname, "architecture-fixtures");

function violations(folder: string): Violation[] {
  const tree: Tree = {
    modules: readTree(folder, "src", [".ts"]).map(parseModule),
    scripts: ["src", "infra"].flatMap((part) => readTree(folder, part, [".lua", ".sql"])),
  };
  return Object.entries(rules).flatMap(([rule, check]) => check(tree).map((found) => ({ rule, ...found })));
}

const shown = ({ rule, path, line, what }: Violation): string => `${path}:${line} [${rule}] ${what}`;

describe("the source tree", () => {
  test("keeps every rule", () => {
    expect(violations(root).map(shown)).toEqual([]);
  });

  test("names no path of the machine it was written on", () => {
    const files = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
    const parent = dirname(root);
    const everybodys = ["/", "/home", "/tmp", "/opt", "/srv", "/app", "/usr/src"];
    const places = [root, homedir(), ...(everybodys.includes(parent) ? [] : [parent])].filter((place) => place !== "/");
    const named = files.filter((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return places.some((place) => text.includes(`${place}/`));
    });
    expect(named).toEqual([]);
  });
});

describe("each rule catches a tree that breaks it", () => {
  const cases = readdirSync(fixtures).filter((name) => name !== "obeys");

  // A fixture is named after the rule it breaks, and how: `layers--domain-imports-port`.
  test.each(cases)("%s", (name) => {
    const caught = violations(join(fixtures, name));
    expect([...new Set(caught.map(({ rule }) => rule))], caught.map(shown).join("\n")).toEqual([name.split("--")[0]]);
  });

  test.each(Object.keys(rules))("rule %s has a fixture", (rule) => {
    expect(cases.filter((name) => name.split("--")[0] === rule)).not.toEqual([]);
  });

  test("and a tree that obeys passes", () => {
    expect(violations(join(fixtures, "obeys")).map(shown)).toEqual([]);
  });
});
