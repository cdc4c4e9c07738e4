import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandLine } from "./command-line.ts";

const tiny = [
  "--seeds",
  "2",
  "--learners",
  "3",
  "--skills",
  "3",
  "--generators",
  "bkt",
  "--policies",
  "proximal,random",
];

describe("proximal simulate", () => {
  test("prints the figures, the comparison and placement; the same with any number of threads", async () => {
    const cli = commandLine();
    const html = join(cli.folder, "report.html");
    const one = await cli.run("simulate", ...tiny, "--threads", "1", "--html", html);
    expect(one).toMatchObject({ code: 0 });
    expect(one.stdout).toContain("bkt (+- 95 % interval over 2 classes)");
    expect(one.stdout).toContain("proximal minus baseline");
    expect(readFileSync(html, "utf8")).toContain("<svg");
    const two = await cli.run("simulate", ...tiny, "--threads", "2");
    expect(one.stdout.replace(`\n\nreport: ${html}`, "")).toBe(two.stdout);
  });

  test("--json is the whole result", async () => {
    const { json } = await commandLine().run("simulate", ...tiny, "--json");
    expect(json).toMatchObject({ seeds: 2, simulation: { learners: 3, policies: ["proximal", "random"] } });
    expect(json.outcomes[0].measures.itemsToMastery.n).toBe(2);
    expect(json.comparisons[0]).toMatchObject({ policy: "proximal", baseline: "random" });
  });

  test("Ctrl-C before the first class is complete is one line", async () => {
    const signal = AbortSignal.abort();
    const { code, stdout, stderr } = await commandLine().runWith({ signal }, "simulate", ...tiny);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^stopped after 0 of 2 classes of each kind\nproximal: stopped before the first class/);
  });

  test.each([
    [["--generators", "bkt,magic"], /^proximal: simulate: --generators: .*"forgetting"/],
    [["--policies", ""], /^proximal: simulate: --policies: .*"random"/],
    [["--seeds", "1"], /^proximal: option '--seeds <number>' argument '1' is invalid. a whole number of at least 2/],
    [["--careless", "2"], /^proximal: option '--careless <share>' argument '2' is invalid. a share from 0 to 1/],
    [["--policy", "{"], /^proximal: option '--policy <json>' argument '{' is invalid. it is not JSON/],
    [["--policy", '{"targetSuccess":2}'], /^proximal: simulate: --policy targetSuccess: /],
  ])("%j exits with 64 and one line", async (argv, message) => {
    const { code, stdout, stderr } = await commandLine().run("simulate", ...argv);
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  test("a report that cannot be written is one line", async () => {
    const { code, stderr } = await commandLine().run("simulate", ...tiny, "--html", "/nowhere/report.html");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^proximal: --html \/nowhere\/report.html: ENOENT/m);
  });
});
