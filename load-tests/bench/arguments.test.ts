import { describe, expect, test } from "vitest";
import { readArguments } from "./arguments.ts";
import { benchCases } from "./cases.ts";

test("all cases at full length unless told otherwise", () => {
  const wanted = readArguments([]);
  expect(wanted).toMatchObject({ what: "measure", scale: "full", rounds: null, seconds: null, save: false });
  expect(wanted.cases).toEqual(benchCases.filter(({ notIn }) => notIn?.includes("full") !== true));
});

test("each option says what is to be done", () => {
  expect(readArguments(["--quick", "--only", "single,next", "--rounds", "9"])).toMatchObject({
    ...{ what: "measure", scale: "quick", rounds: 9 },
    cases: [{ name: "single" }, { name: "next" }],
  });
  expect(readArguments(["--gate"])).toMatchObject({ what: "gate", scale: "gate" });
  expect(readArguments(["--gate"]).cases.every(({ gate }) => gate === true)).toBe(true);
  expect(readArguments(["--gate", "--record", "20"])).toMatchObject({ what: "record", record: 20 });
  expect(readArguments(["--gate", "--slow-down", "30"])).toMatchObject({ what: "gate", slowDown: 30 });
  expect(readArguments(["--compare", "a.json,b.json"])).toMatchObject({
    what: "compare",
    compare: ["a.json", "b.json"],
  });
  expect(readArguments(["--profile", "next", "--heap"])).toMatchObject({ what: "profile", heap: true });
});

describe("what makes no sense is refused with a line that says why", () => {
  test.each([
    [["--only", "nextt"], /no case "nextt": there are /],
    [["--rounds", "0"], /--rounds 0: a whole number from 1 on/],
    [["--compare", "a.json"], /--compare takes two files/],
    [["--record", "5"], /--record goes with --gate/],
    [["--fast"], /--fast/],
  ])("%j", (args, message) => {
    expect(() => readArguments(args)).toThrow(message);
  });
});

test("cases have names of their own", () => {
  expect(new Set(benchCases.map(({ name }) => name)).size).toBe(benchCases.length);
});
