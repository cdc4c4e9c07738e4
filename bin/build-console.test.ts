import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../test/support/folders.ts";
import { builtFrom, consoleSources } from "./build-console.js";

const root = dirname(import.meta.dirname);

/** A repository as far as the console goes. */
function repository(): string {
  const folder = temporaryFolder();
  for (const part of ["console/src", "console/index.html", "console/vite.config.ts", "package-lock.json"]) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  return folder;
}

test("what the pages are made of tells whether they are to be built again; their tests and what was built do not", () => {
  const folder = repository();
  const before = consoleSources(folder);
  expect(consoleSources(repository())).toBe(before);
  mkdirSync(join(folder, "console", "dist"));
  writeFileSync(join(folder, "console", "dist", "index.html"), "built");
  writeFileSync(join(folder, "console", "src", "more.test.ts"), "a test");
  expect(consoleSources(folder)).toBe(before);

  const style = join(folder, "console", "src", "styles.css");
  writeFileSync(style, `${readFileSync(style, "utf8")}\n`);
  const restyled = consoleSources(folder);
  expect(restyled).not.toBe(before);
  const lock = join(folder, "package-lock.json");
  const { packages } = JSON.parse(readFileSync(lock, "utf8"));
  packages["node_modules/preact"].version = "99.0.0";
  writeFileSync(lock, JSON.stringify({ packages }));
  expect(consoleSources(folder)).not.toBe(restyled);
});

test("pages that are not there, or of nobody knows what, were built of nothing", () => {
  const folder = repository();
  expect(builtFrom(folder)).toBeNull();
  const built = join(folder, "console", "dist");
  mkdirSync(built);
  writeFileSync(join(built, "built-from.txt"), "abc\n");
  expect(builtFrom(folder)).toBeNull();
  writeFileSync(join(built, "index.html"), "");
  expect(builtFrom(folder)).toBe("abc");
  rmSync(join(built, "built-from.txt"));
  expect(builtFrom(folder)).toBeNull();
});
