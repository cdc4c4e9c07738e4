import type { GuardedWrite, Row, WriteOutcome } from "../../ports/read-models.ts";
import { versionField } from "./guarded-write.lua.ts";

/** The tag in braces keeps whatever belongs to a row in one slot of a cluster. */
const keyStart = "proximal:{";
export const toKey = (key: string): string => `${keyStart}${key}}`;
export const fromKey = (key: string): string => key.slice(keyStart.length, -1);

/** What SCAN is asked for: `*`, `?`, `[`, `]` and `\\` of the prefix mean themselves. */
export const matchOf = (prefix: string): string => `${(keyStart + prefix).replace(/[*?[\]\\^]/g, "\\$&")}*`;

/** Of the script guardedWrite, after the keys. */
export function scriptArguments(writes: readonly GuardedWrite[]): (string | Buffer)[] {
  const args: (string | Buffer)[] = [];
  for (const { from, to, set, remove = [] } of writes) {
    args.push(String(from), String(to), String(set.size), String(remove.length));
    for (const [field, value] of set) args.push(field, value);
    for (const field of remove) args.push(field);
  }
  return args;
}

/** Of what that script replies, for one row. */
export function outcome(version: string | null): WriteOutcome {
  return version === null ? { status: "written" } : { status: "refused", version: Number(version) };
}

export function wholeRow(reply: Record<string, Buffer>): Row {
  const fields = new Map(Object.entries(reply));
  const version = fields.get(versionField);
  fields.delete(versionField);
  return { version: version === undefined ? 0 : Number(version.toString()), fields };
}

export function namedRow([version, ...values]: readonly (Buffer | null)[], names: readonly string[]): Row {
  const fields = new Map<string, Buffer>();
  names.forEach((name, at) => {
    const value = values[at] ?? null;
    if (value !== null) fields.set(name, value);
  });
  return { version: version == null ? 0 : Number(version.toString()), fields };
}
