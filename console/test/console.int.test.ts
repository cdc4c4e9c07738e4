import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { newPlace, type Running, root, run, serve } from "../../test/e2e/proximal.ts";
import { privateChromium } from "../../test/support/chromium.ts";
import { addBrokenEvent, mendEvent } from "./broken-event.ts";
import { rebuildAndGoBack, retryParked } from "./operator-steps.ts";
import { prepareSchool } from "./school.ts";

/** The console in a real browser, against the embedded server as its users start it. */
const browser = await privateChromium();
const learner = "ada";
const answersBefore = 40;
const patience = { timeout: 30_000 };
const limit = { timeout: 120_000 };

describe.skipIf(browser === null)("the console", () => {
  const atEnd: (() => void)[] = [];
  const place = newPlace({}, (undo) => void atEnd.push(undo));
  let server: Running;

  beforeAll(async () => {
    execFileSync(process.execPath, [join(root, "bin", "build-console.js")], { stdio: "inherit" });
    await addBrokenEvent(place.folder, "broken");
    server = await serve(place);
    await prepareSchool(server, learner, answersBefore);
  });
  afterAll(() => {
    for (const undo of atEnd.toReversed()) undo();
  });

  async function newPage(options: { colorScheme?: "light" | "dark" } = {}): Promise<Page> {
    if (browser === null) throw new Error("skipped without a browser");
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    onTestFinished(() => context.close());
    context.setDefaultTimeout(patience.timeout);
    const page = await context.newPage();
    page.on("pageerror", (error) => {
      throw error;
    });
    // What the policy of the page keeps out is told here, and nothing else.
    page.on("console", (message) => {
      if (/Content Security Policy/i.test(message.text())) throw new Error(message.text());
    });
    return page;
  }

  const link = (to: string, key = server.key): string =>
    `${server.url}/console/#key=${key}&page=${encodeURIComponent(to)}`;
  const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });

  test("practice: what is answered changes the next item, the mastery and the log", limit, async () => {
    const page = await newPage();
    await page.goto(link("/practice?id=newcomer&track=algebra"));
    const item = page.locator("section.question h2");
    const first = await item.getAttribute("data-item");
    const lag = page.getByRole("region", { name: "Lag" }).locator("p[data-head]");
    const headBefore = Number(await lag.getAttribute("data-head"));

    const seen = [first];
    for (const button of ["I had it right", "I had it right", "I had it wrong", "Skip it"]) {
      const before = await item.getAttribute("data-item");
      await page.getByRole("button", { name: button }).click();
      await expect.poll(() => item.getAttribute("data-item"), patience).not.toBe(before);
      seen.push(await item.getAttribute("data-item"));
    }
    expect(new Set(seen).size).toBeGreaterThan(3);
    const changed = page.getByRole("region", { name: "What changed" });
    await expect
      .poll(() => changed.getByRole("status").textContent())
      .toMatch(/: skipped, predicted \d+ %. It was in the list after/);
    // The newest first: the skip, which teaches nothing, stands above what the answers before it changed.
    expect(await changed.getByRole("listitem").allTextContents()).toEqual([
      expect.stringMatching(/: wrong \(predicted/),
      expect.stringMatching(/: right \(predicted/),
      expect.stringMatching(/: right \(predicted/),
    ]);
    await expect
      .poll(async () => Number(await lag.getAttribute("data-head")), patience)
      .toBeGreaterThanOrEqual(headBefore + 4);
    await expect.poll(() => lag.textContent(), patience).toContain("Everything is folded in.");

    await page.getByRole("button", { name: "I had it right" }).click();
    await expect.poll(() => changed.locator(".changes li").first().textContent(), patience).toMatch(/\d+ %/);
    const { body } = await server.get("/v1/learners/newcomer/scores");
    expect(body).toMatchObject({ answers: 4, correct: 3 });
    // Each answer names the list it was given by.
    const history = await server.get("/v1/learners/newcomer/history");
    for (const event of history.body.events) expect(event.data.selectionId).toMatch(/^[0-9a-f]{24}$/);
  });

  test(
    "a learner: mastery on the skill graph, next items with reasons, and all of it as it was",
    patience,
    async () => {
      const page = await newPage();
      await page.goto(link(`/learner?id=${learner}`));
      const share = page.locator("[data-skill=integer-sums] .share");
      await expect.poll(() => share.textContent(), patience).toMatch(/^\d+ %$/);
      expect(await page.locator("[data-skill]").count()).toBe(20);
      const now = await share.textContent();
      const { body } = await server.get(`/v1/learners/${learner}/scores`);
      const mastery = body.skills.find((skill: { skillId: string }) => skill.skillId === "integer-sums").mastery;
      expect(now).toBe(`${Math.round(100 * mastery)} %`);

      const next = page.getByRole("table", { name: "Next items" });
      const list = await server.get(`/v1/learners/${learner}/next?count=8`);
      await expect.poll(() => next.locator("tbody tr").count(), patience).toBe(list.body.items.length);
      const [firstItem] = list.body.items;
      expect(await next.locator("tbody tr").first().textContent()).toContain(firstItem.reason.text);
      await next.getByRole("button", { name: `Why ${firstItem.title}?` }).click();
      const terms = page.getByRole("table", { name: /is a sum of -?[\d.]+ logits/ });
      await expect.poll(() => terms.locator("tbody tr").count(), patience).toBeGreaterThan(2);

      const slider = page.getByRole("slider", { name: "Look at the past" });
      expect(await slider.getAttribute("max")).toBe(String(answersBefore));
      await slider.focus();
      await page.keyboard.press("Home");
      await page.keyboard.press("ArrowRight");
      expect(await slider.getAttribute("aria-valuetext")).toMatch(/^after event 2: right, /);
      const answered = page.locator(".figure", { hasText: "Answers" });
      await expect.poll(() => answered.textContent(), patience).toBe("Answers2");
      await expect.poll(() => share.textContent(), patience).not.toBe(now);
      expect(await page.getByRole("table", { name: /^The last 2 events/ }).count()).toBe(1);
      await page.getByRole("button", { name: "Back to now" }).click();
      await expect.poll(() => answered.textContent(), patience).toBe(`Answers${answersBefore}`);
    },
  );

  test("an operator: who runs, a parked learner inspected and retried, a rebuild and back", limit, async () => {
    const page = await newPage();
    await page.goto(link("/pipeline"));
    const workers = page.getByRole("table", { name: "Processes of this deployment" });
    await expect
      .poll(() => workers.locator("tbody tr").allTextContents(), patience)
      .toEqual([expect.stringMatching(new RegExp(`:${server.pid}all0\\d+ %`))]);
    const projections = page.getByRole("table", { name: "Projections by partition" });
    await expect.poll(() => projections.getByRole("rowheader").allTextContents(), patience).toContain("learners/0");
    await expect.poll(() => page.locator("figure.chart canvas").count(), patience).toBe(2);

    await page.getByRole("link", { name: "Parked learners" }).click();
    await retryParked(page, "broken", () => mendEvent(place.folder, "broken"), patience);
    expect((await server.get("/v1/learners/broken/scores")).body.answers).toBe(1);

    await rebuildAndGoBack(page, patience);
    const folded = page.locator(".figure", { hasText: "Events folded" });
    expect(await folded.textContent()).toMatch(/^Events folded\d/);

    await page.getByRole("link", { name: "Jobs" }).click();
    await expect.poll(() => page.getByText("Jobs run in this process").count(), patience).toBe(1);
  });

  test("the built pages hold no path of the machine they were built on", () => {
    const assets = join(root, "console/dist/assets");
    for (const file of readdirSync(assets)) expect(readFileSync(join(assets, file), "utf8"), file).not.toContain(root);
  });

  test("the documentation of the API runs under its policy", limit, async () => {
    const page = await newPage();
    await page.goto(`${server.url}/docs/`);
    await page.locator(".opblock").first().waitFor();
  });

  test("by keyboard alone, from the key to an answer", limit, async () => {
    const page = await newPage();
    await page.goto(`${server.url}/console/`);
    await page.keyboard.press("Tab");
    await page.keyboard.type(server.key);
    await page.keyboard.press("Enter");
    await heading(page, "Pipeline").waitFor();
    const tabTo = async (name: string): Promise<void> => {
      const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
      for (let presses = 0; (await focused()) !== name; presses += 1) {
        if (presses > 40) throw new Error(`${name} is not reached by the Tab key`);
        await page.keyboard.press("Tab");
      }
    };
    await tabTo("Practice");
    await page.keyboard.press("Enter");
    await heading(page, "Practice").waitFor();
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
    const item = page.locator("section.question h2");
    const before = await item.getAttribute("data-item");
    await tabTo("I had it right");
    await page.keyboard.press("Space");
    await expect.poll(() => item.getAttribute("data-item"), patience).not.toBe(before);
    // Who answered is at the next item, not somewhere at the top.
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute("data-item")), patience)
      .toBe(await item.getAttribute("data-item"));
  });

  test(
    "secrets: the key is in no address, no page and no cookie; a key sees what its scopes allow",
    patience,
    async () => {
      const page = await newPage();
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      await page.goto(link("/jobs"));
      await heading(page, "Jobs").waitFor();
      await expect.poll(() => page.getByText("Nobody asked for any.").count(), patience).toBe(1);
      const secret = server.key.split("_")[2] ?? "";
      expect(secret).toHaveLength(64);
      expect(await page.evaluate(() => location.href)).toBe(`${server.url}/console/#/jobs`);
      expect(asked.join(" ")).not.toContain(secret);
      expect(await page.content()).not.toContain(secret);
      expect(await page.context().cookies()).toEqual([]);
      expect(await page.evaluate(() => JSON.stringify(localStorage) + document.cookie)).not.toContain(secret);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("API key").waitFor();
      expect(await page.evaluate(() => sessionStorage.length)).toBe(0);

      const made = await run(place, ["keys", "create", "--name", "app", "--json", "--scope", "client"]);
      const client = JSON.parse(made.stdout).key as string;
      await page.getByLabel("API key").fill(client);
      await page.getByRole("button", { name: "Sign in" }).click();
      await expect
        .poll(() => page.getByRole("navigation").getByRole("link").allTextContents(), patience)
        .toEqual(["Learner", "Practice"]);
      expect(await page.textContent("main")).toContain("Jobs needs a key with analyst or operator");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("API key").fill("pxl_0000000000000000_nonsense");
      await page.getByRole("button", { name: "Sign in" }).click();
      await expect.poll(() => page.getByRole("alert").textContent(), patience).toContain("unknown, revoked or expired");
    },
  );

  test.each(["light", "dark"] as const)("accessible: no violation on any page, %s", limit, async (colorScheme) => {
    const page = await newPage({ colorScheme });
    await page.goto(`${server.url}/console/`);
    const rules = colorScheme === "light" ? [] : ["color-contrast"];
    const found = [await violations(page, "sign in", rules)];
    await page.goto(link("/pipeline"));
    await heading(page, "Pipeline").waitFor();
    const pages = ["pipeline", "parked", "jobs", "rebuild", `learner?id=${learner}`, "practice"];
    for (const name of pages) {
      await page.evaluate((hash) => {
        location.hash = hash;
      }, `#/${name}`);
      // Live figures have come, and with them the tables.
      await page.locator("main .live, main .question").first().waitFor();
      found.push(await violations(page, name, rules));
    }
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe(colorScheme);
    expect(found.flat()).toEqual([]);
  });

  test("when the server is gone the figures stay, with their age and why", limit, async () => {
    const page = await newPage();
    await page.goto(link("/pipeline"));
    await page.getByRole("table", { name: "Projections by partition" }).waitFor();
    await server.end("SIGKILL");
    const status = page.locator(".staleness").first();
    await expect
      .poll(() => status.textContent(), patience)
      .toMatch(/Not of now\. The server does not answer\..*These figures are \d+ s old\./);
    expect(await page.getByRole("table", { name: "Projections by partition" }).count()).toBe(1);
  });
});

/** What axe finds, in a line each; of pages in other colours only what colours can spoil. */
async function violations(page: Page, where: string, rules: readonly string[] = []): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  const { violations: found } = await (rules.length === 0 ? axe : axe.withRules([...rules])).analyze();
  return found.map(({ id, impact, nodes }) => `${where}: ${impact} ${id}: ${nodes[0]?.html.slice(0, 200)}`);
}
