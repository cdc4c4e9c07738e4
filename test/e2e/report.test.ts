import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";
import { course } from "../../src/app/demo/course.ts";
import { type CommandLine, commandLine } from "./command-line.ts";
import { eventually, newPlace, root, run, serve } from "./proximal.ts";

const sampleLog = join(root, "src/app/demo/sample-log.csv");

async function sampleSchool(): Promise<CommandLine> {
  const cli = commandLine();
  const ndjson = (list: readonly object[]): string => list.map((each) => `${JSON.stringify(each)}\n`).join("");
  await cli.run("import", "skills", cli.file("skills.ndjson", ndjson(course.skills)));
  await cli.run("import", "items", cli.file("items.ndjson", ndjson(course.items)));
  expect((await cli.run("import", "interactions", sampleLog)).code).toBe(0);
  return cli;
}

describe("proximal report on the sample log", () => {
  test("every report: words, page, plots, JSON and CSV", { timeout: 180_000 }, async () => {
    const cli = await sampleSchool();
    const page = join(cli.folder, "overview.html");
    const plots = join(cli.folder, "plots");
    const overview = await cli.run("report", "overview", "--html", page, "--plots", plots);
    expect(overview.code).toBe(0);
    expect(overview.stdout).toContain(
      "4,700 interactions, 4,700 of them answers, from 2025-09-01 to 2025-09-28. 30 learners.",
    );
    expect(overview.stdout).toContain("still high: Adding fractions");
    const html = readFileSync(page, "utf8");
    for (const title of ["Funnel", "Learning curves", "Items", "Drop-outs"])
      expect(html).toContain(`<h2>${title}</h2>`);
    expect(html).toContain("What to look at first");
    expect(readdirSync(plots)).toEqual(
      expect.arrayContaining(["curve-01.svg", "funnel-steps.svg", "items-flags.svg", "drop-outs-days.svg"]),
    );

    const { json: curves } = await cli.run("report", "learning-curves", "--json");
    const powers = curves.curves.find(({ skillId }: { skillId: string }) => skillId === "powers");
    expect(powers).toMatchObject({ title: "Powers", learners: 29, answers: 546, category: "good" });
    expect(powers.fit.slope).toBeGreaterThan(0.05);

    const items = await cli.run("report", "items", "--csv");
    const rows = parse(items.stdout, { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(256);
    expect(rows.filter(({ flags }) => flags === "never_met")).toHaveLength(57);

    const { json: funnel } = await cli.run("report", "funnel", "--skill", "powers", "--json");
    expect(funnel).toMatchObject({ started: 29, answered: 29, skills: [{ skillId: "powers", practised: 29 }] });

    const dropOuts = await cli.run("report", "drop-outs", "--inactive-days", "2", "--learners");
    expect(dropOuts.stdout).toMatch(/40 % have stopped/);
  });

  test.each([
    [["report"], 64, "proximal: missing required argument 'report'\n"],
    [
      ["report", "grades"],
      64,
      "proximal: command-argument value 'grades' is invalid for argument 'report'. Allowed choices are learning-curves, items, funnel, drop-outs, overview.\n",
    ],
    [["report", "items", "--json", "--csv"], 64, "proximal: report: give --json or --csv, not both\n"],
    [
      ["report", "items", "--from", "soon"],
      64,
      "proximal: --from soon: write it like 2026-09-01 or 2026-09-01T08:00:00Z\n",
    ],
    [
      ["report", "items", "--inactive-days", "999"],
      64,
      "proximal: report: inactiveDays: Too big: expected number to be <=365\n",
    ],
    [["report", "items", "--track", "x"], 1, "proximal: report: there is no track x\n"],
    [["report", "items"], 1, "proximal: report: the log has no interactions yet\n"],
  ])("%j: one line that says what is wrong", async (argv, code, stderr) => {
    expect(await commandLine().run(...argv)).toMatchObject({ code, stdout: "", stderr });
  });

  test("a page that cannot be written is said in one line", async () => {
    const cli = commandLine();
    await cli.run("import", "interactions", cli.file("one.csv", "user_id,item_id,correct\nada,a1,1\n"));
    const { code, stderr } = await cli.run("report", "items", "--html", join(cli.folder, "no/such/folder.html"));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^proximal: the report cannot be written: ENOENT.*\n$/m);
  });
});

test("a server makes reports in the background", { timeout: 180_000 }, async () => {
  const place = newPlace();
  expect((await run(place, ["import", "interactions", sampleLog])).code).toBe(0);
  const server = await serve(place);
  const input = { report: "overview", from: "2025-09-08T00:00:00Z" };
  const asked = await server.post("/v1/replays", { kind: "report", input });
  expect(asked.status).toBe(202);
  const { body } = await eventually(
    "the report",
    () => server.get(`/v1/replays/${asked.body.replayId}`),
    (reply) => ["done", "failed"].includes(reply.body.state),
    60_000,
  );
  expect(body).toMatchObject({ state: "done", summary: { report: "overview", "funnel.started": 30 } });
  const names = body.files.map(({ name }: { name: string }) => name);
  expect(names).toEqual(expect.arrayContaining(["overview.html", "overview.csv", "overview.json", "funnel-steps.svg"]));
  const href = `${server.url}/v1/replays/${asked.body.replayId}/files/overview.html`;
  const page = await fetch(href, { headers: { authorization: `Bearer ${server.key}` } });
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(await page.text()).toContain("<h2>Learning curves</h2>");
  const wrong = await server.post("/v1/replays", { kind: "report", input: { report: "grades" } });
  expect([wrong.status, wrong.body.errors[0].path]).toEqual([400, "input.report"]);
  expect(await server.end("SIGINT")).toBe(0);
});
