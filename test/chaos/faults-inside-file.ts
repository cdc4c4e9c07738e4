import { renameSync, writeFileSync } from "node:fs";

/** What goes wrong inside a process: see faults-inside.ts. */
export interface FaultsInside {
  /** Its clock is ahead by so many milliseconds; behind where negative. */
  readonly clockMs: number;
  /** unanswered: the resolver says nothing, and the look-up fails when its time is up. */
  readonly names: "answered" | "unanswered";
}

export const none: FaultsInside = { clockMs: 0, names: "answered" };

/** What resolvers wait at the least before they give up (`timeout` of resolv.conf). */
export const unansweredMs = 5_000;

/** As a whole or not at all: the process reads it at any moment. */
export function writeFaults(file: string, faults: FaultsInside): void {
  writeFileSync(`${file}.next`, JSON.stringify(faults));
  renameSync(`${file}.next`, file);
}
