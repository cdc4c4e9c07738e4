import { type Config, type Environment, settingEntries } from "../config.ts";

/** Shorter ones are found in too many words. */
const secretMin = 4;
/** Whoever has a key may use it: they are made by this program and known by their form. */
const apiKeys = /pxl_([0-9a-f]{16})_[0-9a-f]{64}/g;

/**
 * Takes secrets out of a text: the values of settings that are secret, in whichever form, and API keys. The last line of
 * defence: a library's error may hold what it was given (ioredis: the arguments of AUTH).
 */
export function scrubber(from: Config | { readonly environment: Environment }): (text: string) => string {
  const secrets = secretsIn(from);
  const pattern = secrets.length === 0 ? null : new RegExp(secrets.map(escaped).join("|"), "g");
  return (text) => {
    const scrubbed = pattern === null ? text : text.replace(pattern, "[redacted]");
    return scrubbed.replace(apiKeys, "pxl_$1_[redacted]");
  };
}

/** Longest first: one may be a part of another. */
function secretsIn(from: Config | { readonly environment: Environment }): string[] {
  const found = new Set<string>();
  for (const [key, { name, secret }] of settingEntries()) {
    if (secret === undefined) continue;
    const given = "environment" in from ? from.environment[name] : from[key];
    const values = typeof given === "string" ? partsOf(given, secret) : Object.values(given ?? {}).flatMap(inHeader);
    for (const form of values.flatMap(formsOf)) if (form.length >= secretMin) found.add(form);
  }
  return [...found].sort((a, b) => b.length - a.length);
}

function partsOf(text: string, secret: "all" | "url"): string[] {
  if (secret === "url") return inUrl(text);
  const values = text.split(",").map((pair) => pair.slice(pair.indexOf("=") + 1).trim());
  return [text, ...values.flatMap((value) => inHeader(decoded(value)))];
}

/** A header's value, and what follows its scheme. */
const inHeader = (value: string): string[] => [value, value.replace(/^\w+ /, "")];

/** The password, and what parameters of such names hold. */
function inUrl(text: string): string[] {
  const afterScheme = text.slice(text.indexOf("//") + 2);
  const user = afterScheme.slice(0, Math.max(0, afterScheme.lastIndexOf("@")));
  const password = user.includes(":") ? user.slice(user.indexOf(":") + 1) : "";
  const parameters = [...text.matchAll(/[?&][\w.-]*(?:pass|pwd|secret|token|key)[\w.-]*=([^&#\s]+)/gi)];
  return [password, ...parameters.map(([, value = ""]) => value)];
}

/** As it stands, decoded, and as JSON has it. */
function formsOf(value: string): string[] {
  const plain = decoded(value);
  return [value, plain, encodeURIComponent(plain)].flatMap((one) => [one, JSON.stringify(one).slice(1, -1)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
