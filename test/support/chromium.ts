import { type Browser, chromium } from "playwright-core";
import { afterAll } from "vitest";
import { orSkip } from "./engines.ts";
import { findProgram, type Skip } from "./servers.ts";

/** Debian's Chromium, or what calls itself so elsewhere. */
const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

export async function startChromium(): Promise<Browser | Skip> {
  const executablePath = names.map((name) => findProgram(name)).find((path) => path !== null) ?? null;
  if (executablePath === null) return { skip: "Chromium is not installed (Debian: apt-get install chromium)" };
  // Its sandbox does not start for root, which CI is.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** A Chromium for this file alone, closed after its last test; null where there is none, as with the engines. */
export async function privateChromium(): Promise<Browser | null> {
  const browser = await startChromium();
  if ("skip" in browser) return orSkip(browser);
  afterAll(() => browser.close());
  return browser;
}
