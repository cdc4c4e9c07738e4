import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newPlace, root, serve } from "../../test/e2e/proximal.ts";
import { privateChromium } from "../../test/support/chromium.ts";
import { privateRedis } from "../../test/support/engines.ts";

/** The page of BullMQ's queues, as an operator comes to it: the browser loads it by itself, so a cookie has to let it in. */
const browser = await privateChromium();
const redis = await privateRedis({ settings: { "maxmemory-policy": "noeviction" } });
const patience = { timeout: 30_000 };

test.skipIf(browser === null || redis === null)(
  "the queues are looked into from the console",
  { timeout: 120_000 },
  async () => {
    if (browser === null || redis === null) throw new Error("skipped without them");
    execFileSync(process.execPath, [join(root, "bin", "build-console.js")], { stdio: "inherit" });
    const server = await serve(newPlace({ JOBS_REDIS_URL: redis.url }));
    const context = await browser.newContext();
    context.setDefaultTimeout(patience.timeout);
    try {
      const direct = await context.newPage();
      expect((await direct.goto(`${server.url}/console/jobs/`))?.status()).toBe(401);
      const page = await context.newPage();
      await page.goto(`${server.url}/console/#key=${server.key}&page=/jobs`);
      const opened = context.waitForEvent("page");
      await page.getByRole("link", { name: "Open the queues" }).click();
      const board = await opened;
      const refused: string[] = [];
      board.on("console", (message) => void (/Content Security/i.test(message.text()) && refused.push(message.text())));
      await board.getByText("replays").first().waitFor();
      await board.getByText("jobs", { exact: true }).first().click();
      // A scheduled job of this deployment is on it.
      await board
        .getByText(/announce-replays|keep-counters/)
        .first()
        .waitFor();
      // Its fonts would come from another host: who looks at queues is nobody's business.
      expect(refused.filter((text) => !text.includes("https://fonts.googleapis.com/"))).toEqual([]);
      expect(await board.content()).not.toContain(server.key);
      const [cookie] = await context.cookies(`${server.url}/console/jobs/`);
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/console/jobs" });
      expect(await context.cookies(`${server.url}/console/`)).toEqual([]);

      await page.getByRole("button", { name: "Sign out" }).click();
      await expect.poll(async () => (await context.cookies(`${server.url}/console/jobs/`)).length, patience).toBe(0);
      expect((await board.reload())?.status()).toBe(401);
    } finally {
      await context.close();
    }
  },
);
