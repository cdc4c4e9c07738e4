import { idOf } from "../domain/streams.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels } from "../ports/read-models.ts";
import type { Counters } from "./counters.ts";
import { foldStream, type LearnerFoldDeps } from "./learner-fold.ts";
import { learnerWrite, readEntries } from "./learner-rows.ts";
import { entryInPast } from "./past-entry.ts";
import { learnerKey } from "./rows.ts";

/** A learner whose row must stand at this revision, or beyond it. */
export interface Expected {
  readonly stream: string;
  readonly revision: number;
}

export interface RepairDeps extends LearnerFoldDeps {
  readonly readModels: ReadModels;
  readonly clock: Clock;
  readonly log: Log;
  readonly namespace: string;
  readonly listSize: number;
  /** The stored row is not what it was taken for. */
  forget(stream: string): void;
}

/** Puts right what an engine that had acknowledged a write has lost again. */
export interface Repairs {
  /** Rows that were written: they are remembered for a while. */
  wrote(rows: readonly Expected[]): void;
  /** Any of the rows written lately may have gone back. */
  suspectRecent(): void;
  /** These may have; too many at a time are left out. */
  suspect(learners: readonly Expected[]): void;
  readonly recentSuspected: boolean;
  /** How many wait to be looked at, of those told by name. */
  suspected(): number;
  /** Looks at the suspected, and folds those that went back anew, as far as the pipeline is. */
  run(position: number, parked: Counters["parked"]): Promise<void>;
}

/** A fail-over loses what was written in its last second or so; it is known some seconds after. */
const rememberMs = 60_000;
const rememberMax = 100_000;
const suspectsMax = 10_000;
const chunkSize = 500;

export function createRepairs(deps: RepairDeps): Repairs {
  const { readModels, clock, log, namespace } = deps;
  /** Oldest first. */
  const recent = new Map<string, { readonly revision: number; readonly at: number }>();
  const suspects = new Map<string, number>();
  let recentSuspected = false;

  async function goneBack(expected: readonly Expected[]): Promise<string[]> {
    const keys = expected.map(({ stream }) => learnerKey(namespace, idOf(stream)));
    const rows = await readModels.read(keys, []);
    return expected.flatMap(({ stream, revision }, at) => ((rows[at]?.version ?? 0) < revision ? stream : []));
  }

  /** From the row where there still is one, else from the stream's beginning. Whether it was behind. */
  async function foldAnew(stream: string, position: number, parked: Counters["parked"]): Promise<boolean> {
    const learner = { learnerId: idOf(stream), stream };
    const [entry] = await readEntries(readModels, namespace, [learner], deps.model);
    if (entry === undefined) return false;
    const { state } = entry;
    const before = state.revision;
    const toRevision = (parked.get(stream)?.revision ?? Number.POSITIVE_INFINITY) - 1;
    const failure = await foldStream(deps, { stream, state, toRevision, toPosition: position });
    // What cannot be folded is found, and parked, by the learner's next event.
    if (failure !== null || state.revision === before) return false;
    const right = await entryInPast(deps, stream, state, deps.listSize);
    await readModels.write([learnerWrite(namespace, right, deps.model, "older")]);
    deps.forget(stream);
    return true;
  }

  async function check(expected: readonly Expected[], position: number, parked: Counters["parked"]): Promise<number> {
    let repaired = 0;
    for (let from = 0; from < expected.length; from += chunkSize) {
      for (const stream of await goneBack(expected.slice(from, from + chunkSize))) {
        if (await foldAnew(stream, position, parked)) repaired += 1;
      }
    }
    return repaired;
  }

  return {
    wrote(rows) {
      const at = clock.now();
      for (const { stream, revision } of rows) {
        recent.delete(stream);
        recent.set(stream, { revision, at });
      }
      for (const [stream, one] of recent) {
        if (one.at > at - rememberMs && recent.size <= rememberMax) break;
        recent.delete(stream);
      }
    },
    suspectRecent() {
      recentSuspected = true;
    },
    suspect(learners) {
      for (const { stream, revision } of learners) if (suspects.size < suspectsMax) suspects.set(stream, revision);
    },
    suspected: () => suspects.size,
    get recentSuspected() {
      return recentSuspected;
    },
    async run(position, parked) {
      if (!recentSuspected && suspects.size === 0) return;
      const known = recentSuspected ? Array.from(recent, ([stream, { revision }]) => ({ stream, revision })) : [];
      const told = Array.from(suspects, ([stream, revision]) => ({ stream, revision }));
      // Told while these are looked at: looked at the next time.
      recentSuspected = false;
      suspects.clear();
      try {
        const repaired = await check([...known, ...told], position, parked);
        if (repaired > 0) log.warn({ namespace, rows: repaired }, "rows that had been lost were folded again");
      } catch (error) {
        recentSuspected ||= known.length > 0;
        for (const { stream, revision } of told) suspects.set(stream, revision);
        throw error;
      }
    },
  };
}
