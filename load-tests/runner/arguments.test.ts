import { expect, test } from "vitest";
import { readArguments } from "./arguments.ts";

const run = (...argv: string[]) => {
  const read = readArguments(argv);
  if (read.command !== "run") throw new Error(read.command);
  return read;
};

test("a scenario has its own users, seconds and connections, and options change them", () => {
  expect(run("baseline")).toMatchObject({ load: { users: 1_000, seconds: 90 }, connections: 1_000, stack: "small" });
  expect(run("stress").connections).toBe(10_000);
  expect(run("soak", "--seconds", "60", "--users", "50", "--save")).toMatchObject({
    ...{ load: { users: 50, seconds: 60 }, save: true, running: null },
  });
  expect(run("personas").connections).toBe(0);
  expect(run("mixed", "--quick", "--users", "7").load).toEqual({ users: 7, seconds: 6 });
});

test("what runs already is given by --url and --key", () => {
  expect(run("spike", "--url", "http://127.0.0.1:3000/", "--key", "pxl_x").running).toEqual({
    ...{ url: "http://127.0.0.1:3000", queryUrl: "http://127.0.0.1:3000", key: "pxl_x" },
  });
  expect(() => run("spike", "--url", "http://127.0.0.1:3000")).toThrow("--url needs --key");
  expect(() => run("spike", "--key", "pxl_x")).toThrow("go with --url");
  expect(() => run("spike", "--url", "nowhere", "--key", "pxl_x")).toThrow("not an address");
});

test.each([
  [["bench"], 'there is no scenario "bench"'],
  [["baseline", "--users", "many"], "--users many: a whole number from 1 to 100000"],
  [["baseline", "--connections", "-1"], "--connections"],
  [["baseline", "--stack", "large"], "--stack large: small or full"],
  [["compare", "a.json"], "compare takes two files of results"],
  [["baseline", "--fast"], "Unknown option '--fast'"],
])("%s is refused in words", (argv, message) => {
  expect(() => readArguments(argv)).toThrow(message);
});

test("nothing, or --help, asks for help", () => {
  expect(readArguments([])).toEqual({ command: "help" });
  expect(readArguments(["soak", "--help"])).toEqual({ command: "help" });
});
