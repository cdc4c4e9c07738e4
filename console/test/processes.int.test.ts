import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createPostgres } from "../../src/adapters/engines/postgres.ts";
import { openPostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { newPlace, root, run, serve } from "../../test/e2e/proximal.ts";
import { privateChromium } from "../../test/support/chromium.ts";
import { privateRedis, sharedPostgres } from "../../test/support/engines.ts";
import { appendBroken, mended } from "./broken-event.ts";
import { lastRebuild, rebuildAndGoBack, retryParked } from "./operator-steps.ts";
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
    const mend = () => sql.query("UPDATE events SET data = $1 WHERE stream = $2", [mended("broken"), "learner-broken"]);
    await retryParked(page, "broken", mend, patience);
    expect((await api.get("/v1/learners/broken/scores")).body.answers).toBe(1);

    await rebuildAndGoBack(page, patience);
    // Any process tells of it, and the command of the one that does it by itself is told of too.
    expect((await projector.get("/v1/ops/rebuild/learners")).body).toMatchObject({ status: "done", identical: null });
    expect(await run(place, ["rebuild", "learners"])).toMatchObject({ code: 0 });
    await expect.poll(() => lastRebuild(page).textContent(), patience).toContain("to the byte");

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
