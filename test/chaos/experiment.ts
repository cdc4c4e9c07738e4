import type { SeededRandom } from "../support/random.ts";
import type { SupervisedProcess } from "./processes.ts";
import type { Stack } from "./stack.ts";

/** One thing that goes wrong, and how it is put right. Add yours to a file of experiments/, and to all.ts. */
export interface Experiment {
  /** As `--only` takes it: kill-api, redis-flushall, ... */
  readonly name: string;
  /** What is done, for the table. */
  readonly what: string;
  /** Who or what puts it right, for the table: "the supervisor starts it again", "by itself". */
  readonly heals: string;
  /** Seconds between the fault and its repair: at least, at most. */
  readonly lasts: readonly [number, number];
  /** Why it cannot be done on this stack; null where it can. */
  cannot?(stack: Stack): string | null;
  /** Does it, and gives what repairs it. Choices by `random` alone, so that a seed repeats them. */
  inject(stack: Stack, random: SeededRandom): Promise<Repair> | Repair;
}

/** Resolves once repaired, as far as an operator can do that: what follows is the system's own doing. */
export type Repair = () => Promise<unknown> | unknown;

/** A process of each of these roles, by chance; none of a role that this stack has not. */
export function oneOfEach(stack: Stack, random: SeededRandom, ...roles: readonly string[]): SupervisedProcess[] {
  return roles.flatMap((role) => (stack.of(role).length === 0 ? [] : [random.pick(stack.of(role))]));
}
