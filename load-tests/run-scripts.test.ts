import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Language, Parser } from "@vscode/tree-sitter-wasm";
import { describe, expect, test } from "vitest";
import { usage } from "./runner/arguments.ts";

const folder = fileURLToPath(new URL("./", import.meta.url));
const text = (name: string): string => readFileSync(join(folder, name), "utf8");

describe("run.sh and run.ps1 hand everything to one program, so that they cannot differ", () => {
  test.each(["run.sh", "run.ps1"])("%s passes all arguments on, and has no option of its own", (name) => {
    const script = text(name);
    expect(script).toMatch(/runner[/', ]+main\.ts/);
    expect(script).toMatch(name === "run.sh" ? /main\.ts" "\$@"$/m : /\$main @args$/m);
    const options = [...usage.matchAll(/--[a-z][a-z-]+/g)]
      .map(([option]) => option)
      .filter((option) => option !== "--help");
    expect(options.length).toBeGreaterThan(10);
    expect(options.filter((option) => script.includes(option))).toEqual([]);
  });

  test("run.sh ends with what the program ends with", { timeout: 120_000 }, () => {
    const asked = spawnSync(join(folder, "run.sh"), ["--help"], { encoding: "utf8" });
    expect(asked).toMatchObject({ status: 0, stdout: `${usage}\n` });
    const wrong = spawnSync(join(folder, "run.sh"), ["basline"], { encoding: "utf8" });
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toMatch(/there is no scenario "basline": baseline, spike/);
  });

  test("run.ps1 is PowerShell, as far as a grammar can tell", async () => {
    const grammars = dirname(createRequire(import.meta.url).resolve("@vscode/tree-sitter-wasm"));
    await Parser.init({ locateFile: (file: string) => join(grammars, file) });
    const parser = new Parser();
    parser.setLanguage(await Language.load(join(grammars, "tree-sitter-powershell.wasm")));
    const isWrong = (script: string) => parser.parse(script)?.rootNode.hasError;
    expect(isWrong(text("run.ps1").replace("if (", "if [("))).toBe(true);
    expect(isWrong(text("run.ps1"))).toBe(false);
  });
});
