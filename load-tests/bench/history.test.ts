import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keep, previousRun, readResult } from "./history.ts";
import { benchRun, caseWith } from "./test-runs.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "proximal-bench-history-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (at: string, more: Parameters<typeof benchRun>[1] = {}) =>
  benchRun([caseWith("next", [0.8, 0.9], [0.7, 0.8])], { at: `2026-01-0${at}T00:00:00.000Z`, ...more });
const previous = (more: Parameters<typeof benchRun>[1] = {}) =>
  previousRun(run("9", more), folder)?.result.at.slice(9, 10);

test("a saved run is kept under its time and as the newest; one that is not is kept in local", () => {
  expect(keep(run("1"), "quoted", folder)).toHaveLength(2);
  keep(run("2"), "quoted", folder);
  keep(run("3"), "local", folder);
  keep(run("4"), "history", folder);
  expect(readdirSync(join(folder, "bench-history"))).toEqual([
    "bench-2026-01-01T000000.json",
    "bench-2026-01-02T000000.json",
    "bench-2026-01-04T000000.json",
  ]);
  expect(readdirSync(join(folder, "local"))).toHaveLength(1);
  expect(readResult(join(folder, "bench.json"))).toEqual(run("2"));
});

test("the run before is the newest on such a machine at such a scale, or else the newest there is", () => {
  expect(previous()).toBeUndefined();
  const elsewhere = { ...run("1").machine, cores: 64 };
  keep(run("1"), "quoted", folder);
  keep(run("2"), "local", folder);
  keep(run("3", { scale: "quick" }), "local", folder);
  keep(run("4", { machine: elsewhere }), "quoted", folder);
  expect(previous()).toBe("2");
  expect(previous({ scale: "quick" })).toBe("3");
  expect(previous({ scale: "gate" })).toBe("3");
  expect(previous({ machine: elsewhere })).toBe("4");
  expect(previous({ machine: { ...elsewhere, cpu: "other" } })).toBe("4");
});

test("what is not a run is passed over, and an error where it was asked for", () => {
  keep(run("1"), "local", folder);
  const broken = join(folder, "local", "bench-2027.json");
  writeFileSync(broken, "{");
  expect(previous()).toBe("1");
  expect(() => readResult(broken)).toThrow(/bench-2027.json cannot be read: /);
  writeFileSync(broken, '{"measurements":[]}');
  expect(() => readResult(broken)).toThrow(/is not a run of this bench/);
});
