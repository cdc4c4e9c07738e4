import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { madeUpCosts } from "../support/made-up-costs.ts";
import { type CommandLine, commandLine } from "./command-line.ts";

const withCosts = (cli: CommandLine): string[] => ["--costs", cli.file("costs.json", JSON.stringify(madeUpCosts))];

describe("proximal capacity", () => {
  test("prints what to run, what binds, what it costs and the fits, and writes a page", async () => {
    const cli = commandLine();
    const html = join(cli.folder, "plan.html");
    const { code, stdout, stderr } = await cli.run(
      "capacity",
      "--learners",
      "1000000",
      ...withCosts(cli),
      "--html",
      html,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: `report: ${html}\n` });
    for (const line of ["1,000,000 learners", "projector", "PostgreSQL", "trainer", "for 1,000 learners", "sigma"])
      expect(stdout).toContain(line);
    const page = readFileSync(html, "utf8");
    expect(page.match(/<svg/g)?.length).toBe(5);
    expect(page).not.toContain("NaN");
  });

  test("--json is the plan; options win over the file", async () => {
    const cli = commandLine();
    const workload = cli.file(
      "workload.json",
      '{"workload": {"learners": 5000, "zones": 2}, "rules": {"utilisationMax": 0.4}}',
    );
    const { json } = await cli.run("capacity", "--workload", workload, "--zones", "1", ...withCosts(cli), "--json");
    expect(json.plan).toMatchObject({ workload: { learners: 5000, zones: 1 }, rules: { utilisationMax: 0.4 } });
    expect(json.plan.roles.map(({ role }: { role: string }) => role)).toEqual(["api", "projector", "trainer", "jobs"]);
    expect(json.cost.total).toBeGreaterThan(0);
    expect(json.laws[0].intervals.sigma).toMatchObject({ estimate: expect.closeTo(0.2, 3) });
  });

  test("the costs of the repository are there, and --peak-interactions says the rate", async () => {
    const { json } = await commandLine().run(
      "capacity",
      "--peak-interactions",
      "25000",
      "--learners",
      "10000000",
      "--json",
    );
    expect(json.plan.demand.interactionsPerSecond).toBeCloseTo(25_000, 6);
    expect(json.measured.machine.cores).toBeGreaterThan(0);
  });

  test("a plan that does not hold says so", async () => {
    const cli = commandLine();
    const { code, stdout } = await cli.run("capacity", "--learners", "900000000", ...withCosts(cli));
    expect(code).toBe(0);
    expect(stdout).toContain("does not hold: trainer would have to carry");
  });

  test("files to edit are written once, and are what is in force", async () => {
    const cli = commandLine();
    expect((await cli.run("capacity", "files", "--folder", cli.folder)).code).toBe(0);
    const [workload, prices] = [join(cli.folder, "workload.json"), join(cli.folder, "prices.json")];
    const edited = await cli.run("capacity", "--workload", workload, "--prices", prices, ...withCosts(cli), "--json");
    const plain = await cli.run("capacity", ...withCosts(cli), "--json");
    expect(edited.json).toEqual(plain.json);
    const again = await cli.run("capacity", "files", "--folder", cli.folder);
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toMatch(
      /^proximal: .*workload\.json is there already: remove it, or give another --folder\n$/,
    );
  });

  test.each([
    [["--learners", "0"], 64, /a whole number of at least 1/],
    [["--active-share", "2"], 64, /^proximal: capacity: activeShare: /],
    [["--zones", "12"], 64, /^proximal: capacity: zones: /],
    [["--peak-factor", "many"], 64, /a number/],
    [["--log", "kafka"], 64, /Allowed choices are postgres, eventstoredb/],
    [["--costs", "nowhere.json"], 1, /^proximal: --costs nowhere\.json: ENOENT/],
    [["--peak-interactions", "5", "--interactions-per-day", "3"], 64, /not both/],
    [["--peak-interactions", "1e9"], 64, /a number/],
    [["--peak-interactions", "999999999", "--learners", "10"], 64, /interactionsPerDay: /],
  ])("%j is refused in one line", async (given, code, line) => {
    const result = await commandLine().run("capacity", ...given);
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(line);
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
  });

  test.each([
    ["not JSON", "{", /it is not JSON/],
    ["a field of another name", '{"workload": {"pupils": 5}}', /workload: Unrecognized key: "pupils"/],
    ["a value beyond its bounds", '{"rules": {"utilisationMax": 1}}', /rules\.utilisationMax: /],
  ])("a workload that is %s is refused in one line", async (_what, text, line) => {
    const cli = commandLine();
    const { code, stderr } = await cli.run("capacity", "--workload", cli.file("workload.json", text));
    expect(code).toBe(64);
    expect(stderr).toMatch(line);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe("proximal capacity simulate", () => {
  test("tells latencies and lag, the same for the same seed, and writes a page", async () => {
    const cli = commandLine();
    const html = join(cli.folder, "simulation.html");
    const asked = ["capacity", "simulate", "--for", "60s", "--spike", "5x", "--outage", "redis:8s", ...withCosts(cli)];
    const one = await cli.run(...asked, "--html", html);
    expect(one).toMatchObject({ code: 0, stderr: `report: ${html}\n` });
    expect(one.stdout).toContain("5x for 6 s at 20 s; redis stands still for 8 s at 20 s; seed 1");
    expect(one.stdout).toMatch(/answer to visible +\d/);
    expect((await cli.run(...asked)).stdout).toBe(one.stdout);
    expect((await cli.run(...asked, "--seed", "2")).stdout).not.toBe(one.stdout);
    expect(readFileSync(html, "utf8").match(/<svg/g)?.length).toBe(4);
  });

  test("--json has the model, the scenario and the timeline", async () => {
    const cli = commandLine();
    const { json } = await cli.run(
      ...["capacity", "simulate", "--for", "2m", "--kafka", "--workers", "2", "--partitions", "8", "--day", "3"],
      ...[...withCosts(cli), "--json"],
    );
    expect(json.model.projector).toMatchObject({ partitions: 8, workers: 2 });
    expect(json.model.feed.relay).not.toBeNull();
    expect(json.scenario).toMatchObject({ seconds: 120, posts: { perSecond: 100, dayPeakFactor: 3 } });
    expect(json.result.timeline.length).toBeGreaterThan(500);
    expect(json.result.workerHours).toBeCloseTo(240 / 3600, 9);
  });

  test.each([
    [["--spike", "fast"], /--spike fast: like 5x or 5x:30s@2m/],
    [["--spike", "5x:soon"], /--spike 5x:soon: a number and s, m, h or d/],
    [["--outage", "disk:5s"], /--outage disk:5s: like redis:30s or log:5s@2m; of redis, log, projector, relay/],
    [["--outage", "redis:5s@1h"], /the simulation ends after 600 s/],
    [["--outage", "redis:50s", "--outage", "redis:5s@210s"], /two outages of redis at the same time/],
    [["--workers", "4", "--partitions", "2"], /4 workers share 2 partitions: give more --partitions/],
    [["--hit-share", "1.5"], /a share from 0 to 1/],
    [["--day", ".5"], /--day: from 1/],
  ])("%j is refused in one line", async (given, line) => {
    const { code, stderr } = await commandLine().run("capacity", "simulate", ...given);
    expect(code).toBe(64);
    expect(stderr).toMatch(line);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
