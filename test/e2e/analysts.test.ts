import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandLine } from "./command-line.ts";

const answers = Array.from({ length: 60 }, (_, n) => `u${n % 3},i${n % 9},s${n % 2},${n % 4 === 0 ? 0 : 1}`);

test("by the command line: why a list is as it is, and what another policy would change", {
  timeout: 180_000,
}, async () => {
  const cli = commandLine();
  const log = cli.file("answers.csv", ["learnerId,itemId,skillIds,correct", ...answers].join("\n"));
  expect((await cli.run("import", "interactions", log)).code).toBe(0);

  const why = await cli.run("explain", "u1", "--json");
  expect([why.code, why.json.list.revision, why.json.reproduced.status]).toEqual([0, 20, "not served"]);
  const text = await cli.run("explain", "u1", "--at", String(why.json.list.position - 1));
  expect(text.stdout).toContain("Random draw, seed u1:19");
  for (const [argv, said] of [
    [["explain", "nobody"], "nothing is known of a learner nobody"],
    [["explain", "u1", "--at", "2999-01-01T00:00:00Z"], "lies in the future"],
    [["what-if"], "give a policy, a model or both"],
    [["what-if", "--policy", "none.json"], "there is no such file"],
    [["what-if", "--policy", cli.file("bad.json", '{"targetSucess":0.5}')], "targetSucess: there is no such field"],
  ] as const) {
    const { code, stderr } = await cli.run(...argv);
    expect([code > 0, stderr.split("\n")[0]]).toEqual([true, expect.stringContaining(said)]);
  }

  const policy = cli.file("policy.json", '{"masteryThreshold":0.6,"reviews":{"retention":0.75}}');
  const [html, out] = [join(cli.folder, "r.html"), join(cli.folder, "out")];
  const whatIf = await cli.run("what-if", "--policy", policy, "--html", html, "--out", out, "--json");
  expect(whatIf.stderr.split("\n").filter((line) => line.startsWith("proximal:"))).toEqual([]);
  expect([whatIf.code, whatIf.json.tally.choices.lists, whatIf.json.tally.learners]).toEqual([0, 60, 3]);
  expect(whatIf.json.tally.due.later).toBeGreaterThan(0);
  expect(readFileSync(html, "utf8")).toContain("<svg");
  expect(readFileSync(join(out, "learners.csv"), "utf8").split("\r\n")).toHaveLength(5);
});
