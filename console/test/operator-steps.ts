import type { Page } from "playwright-core";
import { expect } from "vitest";

interface Patience {
  readonly timeout: number;
}

/** On the page of parked learners: looked at, retried in vain, mended, and folded; nobody is left. */
export async function retryParked(
  page: Page,
  learnerId: string,
  mend: () => unknown,
  patience: Patience,
): Promise<void> {
  const outcome = page.getByRole("status", { name: "Outcome of the retry" });
  const retry = page.getByRole("button", { name: `Retry ${learnerId}` });
  await page.getByRole("button", { name: `Inspect ${learnerId}` }).click();
  await expect.poll(() => page.locator("pre").textContent(), patience).toContain('"kind": "dance"');
  await retry.click();
  await expect.poll(() => outcome.textContent(), patience).toContain(`${learnerId}: still cannot be folded.`);
  await mend();
  await retry.click();
  await expect.poll(() => outcome.textContent(), patience).toContain(`${learnerId}: folded.`);
  await expect.poll(() => page.getByText("Nobody is parked.").count(), patience).toBe(1);
}

/** What the page of rebuilds says of the last one. */
export const lastRebuild = (page: Page) => page.getByRole("region", { name: "The last rebuild" }).getByRole("status");

/** From any page: all rows made anew, and the way back. */
export async function rebuildAndGoBack(page: Page, patience: Patience): Promise<void> {
  await page.getByRole("link", { name: "Rebuild" }).click();
  for (const [button, words] of [
    ["Rebuild all rows", "The rebuilt rows equal the ones before, to the byte."],
    ["Go back to the rows before", "Done. Queries get these rows."],
  ] as const) {
    await page.getByRole("button", { name: button, exact: true }).click();
    await page.getByRole("dialog", { name: button }).getByRole("button", { name: button }).click();
    await expect.poll(() => lastRebuild(page).textContent(), patience).toContain(words);
  }
}
