import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createPostgres } from "../../src/adapters/engines/postgres.ts";
import { openPostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { newPlace, root, run, serve } from "../../test/e2e/proximal.ts";
import { privateChromium } from "../../test/support/chromium.ts";
import { privateRedis, sharedPostgres } from "../../test/support/engines.ts";
import { appendBroken, mended } from "./broken-event.ts";
import { prepareSchool } from "./school.ts";

/** The operator's pages where the process that serves them neither projects nor works on jobs: each role is another. */
const browser = await privateChromium();
const postgres = await sharedPostgres();
const redis = await privateRedis({ settings: { "maxmemory-policy": "noeviction" } });
const patience = { timeout: 30_000 };

test.skipIf(browser === null || postgres === null || redis === null)(
  "parked learners, rebuilds and jobs, from a process that does none of it",
  { timeout: 180_000 },
  async () => {
    if (browser === null || postgres === null || redis === null) throw new Error("skipped without them");
    execFileSync(process.execPath, [join(root, "bin", "build-console.js")], { stdio: "inherit" });
    const url = await postgres.createDatabase();
    const sql = createPostgres({ url });
    onTestFinished(() => sql.close());
    const log = await openPostgresLog({ sql });
    await appendBroken(log, "broken");
    await log.close();

    const place = newPlace({
      ...{ DATABASE_URL: url, REDIS_URL: `${redis.url}/0`, JOBS_REDIS_URL: `${redis.url}/1`, PROXIMAL_PARTITIONS: "3" },
    });
    const scopes = ["client", "author", "analyst", "operator"].flatMap((scope) => ["--scope", scope]);
    const made = await run(place, ["keys", "create", "--name", "test", "--json", ...scopes]);
    const { key } = JSON.parse(made.stdout) as { key: string };
    const start = (role: string) => serve({ ...place, key }, "--role", role);
    const [projector, , api] = [await start("projector"), await start("jobs"), await start("api")];
    await prepareSchool(api, "ada", 12);

    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    onTestFinished(() => context.close());
    context.setDefaultTimeout(patience.timeout);
    const page = await context.newPage();
    await page.goto(`${api.url}/console/#key=${key}&page=/parked`);
    await page.getByRole("button", { name: "Inspect broken" }).click();
    await expect.poll(() => page.locator("pre").textContent(), patience).toContain('"kind": "dance"');
    const outcome = page.getByRole("status", { name: "Outcome of the retry" });
    await page.getByRole("button", { name: "Retry broken" }).click();
    await expect.poll(() => outcome.textContent(), patience).toContain("broken: still cannot be folded.");
    await sql.query("UPDATE events SET data = $1 WHERE stream = $2", [mended("broken"), "learner-broken"]);
    await page.getByRole("button", { name: "Retry broken" }).click();
    await expect.poll(() => outcome.textContent(), patience).toContain("broken: folded.");
    await expect.poll(() => page.getByText("Nobody is parked.").count(), patience).toBe(1);
    expect((await api.get("/v1/learners/broken/scores")).body.answers).toBe(1);

    await page.getByRole("link", { name: "Rebuild" }).click();
    const report = page.getByRole("region", { name: "The last rebuild" });
    for (const [button, words] of [
      ["Rebuild all rows", "The rebuilt rows equal the ones before, to the byte."],
      ["Go back to the rows before", "Done. Queries get these rows."],
    ] as const) {
      await page.getByRole("button", { name: button, exact: true }).click();
      await page.getByRole("dialog", { name: button }).getByRole("button", { name: button }).click();
      await expect.poll(() => report.getByRole("status").textContent(), patience).toContain(words);
    }
    // Any process tells of it, and the command of the one that does it by itself is told of too.
    expect((await projector.get("/v1/ops/rebuild/learners")).body).toMatchObject({ status: "done", identical: null });
    expect(await run(place, ["rebuild", "learners"])).toMatchObject({ code: 0 });
    await expect.poll(() => report.getByRole("status").textContent(), patience).toContain("to the byte");

    await page.getByRole("link", { name: "Jobs" }).click();
    await page.getByRole("link", { name: "Open the queues" }).waitFor();
    await expect
      .poll(
        () => page.getByRole("table", { name: "Queues of background jobs" }).getByRole("rowheader").allTextContents(),
        patience,
      )
      .toEqual(["jobs", "replays"]);
  },
);
