/*
 * The pictures of README.md and docs/console.md, in docs/images: `npm run screenshots`. Starts the demo in a folder of its own,
 * lets its class catch up, and looks at it with Chromium. Takes about a minute.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { newPlace, type Running, root, serve } from "../../test/e2e/proximal.ts";
import { startChromium } from "../../test/support/chromium.ts";

interface Shot {
  readonly name: string;
  readonly to: string;
  readonly colorScheme: "light" | "dark";
  readonly height: number;
  /** What is done before the picture is taken. */
  readonly prepare: (page: Page) => Promise<unknown>;
}

const width = 1100;

const shots: readonly Shot[] = [
  {
    ...{ name: "console-practice", to: "/practice?id=you&track=algebra", colorScheme: "light", height: 820 },
    async prepare(page) {
      const item = page.locator("section.question h2");
      for (const button of ["I had it right", "I had it right", "I had it wrong", "I had it right"]) {
        const before = await item.getAttribute("data-item");
        await page.getByRole("button", { name: button }).click();
        await page.waitForFunction(
          (old) => document.querySelector("section.question h2")?.getAttribute("data-item") !== old,
          before,
        );
      }
      await page.waitForTimeout(4_000);
    },
  },
  {
    ...{ name: "console-learner", to: "/learner?id=ada", colorScheme: "dark", height: 860 },
    async prepare(page) {
      await page.locator("[data-skill]").first().waitFor();
      const slider = page.getByRole("slider");
      await slider.focus();
      for (let steps = 0; steps < 20; steps += 1) await page.keyboard.press("ArrowLeft");
      await page.getByText("As of").waitFor();
      await page.waitForTimeout(1_000);
    },
  },
  {
    ...{ name: "console-pipeline", to: "/pipeline", colorScheme: "light", height: 800 },
    // Half a minute of the class at work, so that the lines have something to show.
    prepare: (page) => page.waitForTimeout(30_000),
  },
];

async function take(browser: Browser, server: Running, shot: Shot): Promise<void> {
  const { colorScheme, height, name, to } = shot;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  await page.goto(`${server.url}/console/#key=${server.key}&page=${encodeURIComponent(to)}`);
  await page.locator("main h1").waitFor();
  await shot.prepare(page);
  const path = join(root, "docs", "images", `${name}.png`);
  await page.screenshot({ path });
  await context.close();
  process.stdout.write(`docs/images/${name}.png: ${Math.round(statSync(path).size / 1024)} KiB\n`);
}

async function main(): Promise<void> {
  const undo: (() => void)[] = [];
  const browser = await startChromium();
  if ("skip" in browser) throw new Error(browser.skip);
  try {
    execFileSync(process.execPath, [join(root, "bin", "build-console.js")], { stdio: "inherit" });
    mkdirSync(join(root, "docs", "images"), { recursive: true });
    const server = await serve(
      newPlace({}, (end) => void undo.push(end)),
      "--demo",
    );
    process.stdout.write("the demo's class works through its past weeks\n");
    await server.says(/A simulated class works on the course now/);
    for (const shot of shots) await take(browser, server, shot);
    await server.end("SIGTERM");
  } finally {
    await browser.close();
    for (const end of undo.toReversed()) end();
  }
}

await main();
