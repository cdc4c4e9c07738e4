import type { z } from "zod";
import { combinationProblems } from "./combinations.ts";
import { Explained } from "./explained.ts";
import { otherKnownNames, type Setting, type SettingKey, settings } from "./settings.ts";

/** Every setting, checked. The one place in the program that reads process.env. */
export type Config = { readonly [K in SettingKey]: z.output<(typeof settings)[K]["schema"]> };

export type Environment = Readonly<Record<string, string | undefined>>;

/** Some settings are not allowed: one line for each, made to be shown as it is. */
export class BadConfig extends Explained {
  override readonly name = "BadConfig";
}

export interface LoadedConfig {
  readonly config: Config;
  /** One line for each variable that looks like ours and is not. */
  readonly warnings: readonly string[];
}

export const processEnvironment = (): Environment => process.env;

/**
 * Reads and checks the settings. An empty variable is one left out. `given` holds what the command line sets, by the
 * name of the variable, and wins. Throws {@link BadConfig}.
 */
export function loadConfig(environment: Environment, given: Environment = {}): LoadedConfig {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of settingEntries()) {
    const text = given[setting.name] || environment[setting.name] || setting.default || undefined;
    const parsed = setting.schema.safeParse(text ?? (setting.default === "" ? "" : undefined));
    if (parsed.success) values[key] = parsed.data;
    else problems.push(`${setting.name}=${masked(setting, text ?? "")} is not allowed: ${setting.allowed}`);
  }
  problems.push(...combinationProblems(values));
  if (problems.length > 0) throw new BadConfig(problems.join("\n"));
  return { config: values as Config, warnings: unknownNames(environment) };
}

export function settingEntries(): [SettingKey, Setting][] {
  return Object.entries(settings) as [SettingKey, Setting][];
}

/** A value as it may be printed. */
export function masked(setting: Pick<Setting, "secret">, text: string): string {
  if (setting.secret === "all") return "…";
  if (setting.secret === "url") return maskedUrl(text);
  return JSON.stringify(text.length > shownMax ? `${text.slice(0, shownMax)}…` : text);
}

/** Characters of a value that is not allowed. */
const shownMax = 200;

/**
 * A URL without user, password and query. A text that is not one is not shown, it may be a secret in the wrong place; nor is one
 * with an @ after its host: a password with / ? or # in it, which ends the host too early.
 */
export function maskedUrl(text: string): string {
  if (/^[a-z+]+:\/\/[^/?#]*[/?#].*@/i.test(text))
    return "(not a URL; in a password / ? # and @ are written %2F %3F %23 %40)";
  if (!URL.canParse(text)) return maskedHosts(text);
  const url = new URL(text);
  const user = url.username || url.password ? "…@" : "";
  return `${url.protocol}//${user}${url.host}${url.pathname}`;
}

/** Several hosts (`redis+cluster://user:password@a:1,b:2`) are no URL to the standard. */
function maskedHosts(text: string): string {
  const [, scheme, authority = "", path = ""] = /^([a-z+]+):\/\/([^/?#\s]+)(\/[^?#\s]*)?/.exec(text) ?? [];
  const hosts = authority.slice(authority.lastIndexOf("@") + 1);
  if (scheme === undefined || !/^[\w.:,[\]-]+$/.test(hosts)) return "(not a URL)";
  return `${scheme}://${authority.includes("@") ? "…@" : ""}${hosts}${path}`;
}

function unknownNames(environment: Environment): string[] {
  const known: string[] = [...settingEntries().map(([, s]) => s.name), ...otherKnownNames];
  return Object.keys(environment)
    .filter((name) => name.startsWith("PROXIMAL_") && !known.includes(name))
    .map((name) => `${name} is not a setting of Proximal and does nothing; did you mean ${nearest(name, known)}?`);
}

function nearest(name: string, known: readonly string[]): string {
  const distances = known.map((k) => ({ k, d: editDistance(name, k) }));
  return distances.reduce((best, next) => (next.d < best.d ? next : best)).k;
}

/** Levenshtein's distance. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replace = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replace, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** docs/configuration.md: the table of settings. A test keeps the file equal to this. */
export function configurationMarkdown(): string {
  const rows = settingEntries().map(([, s]) => {
    const unit = s.unit === "" ? "" : ` ${s.unit}`;
    const fallback = s.default === null || s.default === "" ? "(empty)" : `\`${s.default}\`${unit}`;
    return `| \`${s.name}\` | ${fallback} | ${s.allowed} | ${s.meaning} |`;
  });
  return [
    "# Settings",
    "",
    "Proximal is set by environment variables. A value that is not allowed stops the start with one line that names the",
    "variable; an unknown `PROXIMAL_` variable is warned about. `npx proximal doctor` shows what is in force.",
    "",
    "This file is made from `src/app/settings.ts`: `npx vitest run -u --project unit src/app/config.test.ts`.",
    "",
    "| variable | default | allowed | meaning |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
