import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { linesUntilEnd } from "./processes.ts";

test.each([
  ["a signal", "process.kill(process.pid, 'SIGKILL')", "SIGKILL"],
  ["a code", "process.exitCode = 3", 3],
])("the lines of a child that ends with %s, and how it ended", async (_how, end, ended) => {
  const script = `process.stdout.write("one\\ntwo\\n", () => { ${end} })`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  expect(await linesUntilEnd(child)).toEqual({ lines: ["one", "two"], ended });
});
