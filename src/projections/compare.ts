import { setTimeout as sleep } from "node:timers/promises";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { categoryOf, idOf } from "../domain/streams.ts";
import type { Feed } from "../ports/feed.ts";
import type { ReadModels, Row } from "../ports/read-models.ts";
import { canonicalFields } from "./digest.ts";
import { decodeLearnerState } from "./learner-scores.ts";
import { partitionOf } from "./partition.ts";
import type { Pipelines } from "./pipelines.ts";
import {
  checkpointField,
  countersKey,
  decodeCheckpoint,
  type LiveView,
  learnerOfKey,
  learnerPrefix,
  stateField,
} from "./rows.ts";

/** How the rows of two namespaces that both move on agree. */
export interface RowsCompared {
  /** Learners looked at. */
  readonly learners: number;
  /** Rows that are not the same in both at the same event, or are missing in one. */
  readonly different: number;
  /** Their keys without the namespace, the first few. */
  readonly differing: readonly string[];
  /** Live rows that wait for their projector: not compared at the same event. */
  readonly behind: number;
}

export interface CompareOptions {
  readonly readModels: ReadModels;
  readonly feed: Feed;
  readonly model: LearnerModel;
  readonly live: LiveView;
  /** Runs here, so that it can be made to stand still. */
  readonly shadow: Pipelines;
  /** How long a row may take to come to the event of its counterpart, milliseconds. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

const differingMax = 20;
const chunkSize = 200;
/** Learners that are looked at again are not more than this at once. */
const againMax = 5_000;
const lookAgainMs = 20;
const defaultPatienceMs = 5_000;
/** How many pages of the log are searched for what a partition may still have to count. */
const searchMax = 40;

/**
 * Compares while events come in and projectors fold them, here and elsewhere. A learner's rows at the same revision must
 * be equal; where they stand at different ones they are looked at again. Counters are compared with the shadow held at
 * the position where the live ones stand.
 */
export async function compareRows(options: CompareOptions): Promise<RowsCompared> {
  const found = createFindings();
  await compareCounters(options, found);
  await compareLearners(options, found);
  return found.comparison();
}

type Findings = ReturnType<typeof createFindings>;

function createFindings() {
  const names: string[] = [];
  const counts = { learners: 0, different: 0, behind: 0 };
  return {
    counts,
    different(name: string): void {
      counts.different += 1;
      if (names.length < differingMax) names.push(name);
    },
    comparison: (): RowsCompared => ({ ...counts, differing: names.sort() }),
  };
}

async function compareCounters(options: CompareOptions, found: Findings): Promise<void> {
  const { live, shadow } = options;
  try {
    for (let partition = 0; partition < live.partitions; partition += 1) {
      const result = await compareCountersOf(options, partition);
      if (result === "different") found.different(countersKey("", partition));
      if (result === "behind") found.counts.behind += 1;
    }
  } finally {
    shadow.gate.release();
  }
}

type Agreement = "equal" | "different" | "behind";

async function compareCountersOf(options: CompareOptions, partition: number): Promise<Agreement> {
  const { readModels, live, shadow, signal, patienceMs = defaultPatienceMs } = options;
  const positionOf = (): number => shadow.statuses().find((one) => one.partition === partition)?.position ?? 0;
  const until = performance.now() + patienceMs;
  for (;;) {
    signal?.throwIfAborted();
    const [row] = await readModels.read([countersKey(live.namespace, partition)]);
    const liveAt = positionIn(row);
    shadow.gate.hold(Math.max(liveAt, positionOf()));
    await shadow.caughtUp();
    const [own] = await readModels.read([countersKey(shadow.view.namespace, partition)]);
    // A read under way passes a gate that closes: then the shadow is farther, and the live row comes to it, or has
    // nothing more to count on the way.
    if (sameCounters(row, own)) return "equal";
    if (positionOf() === liveAt) return "different";
    if (performance.now() > until) return (await isBehind(options, partition, liveAt)) ? "behind" : "different";
    await sleep(lookAgainMs);
  }
}

const positionIn = (row: Row | undefined): number => {
  const checkpoint = row?.fields.get(checkpointField);
  return checkpoint === undefined ? 0 : decodeCheckpoint(checkpoint).position;
};

function sameCounters(a: Row | undefined, b: Row | undefined): boolean {
  return sameFields(canonicalFields(a), canonicalFields(b));
}

function sameFields(a: ReadonlyMap<string, Buffer>, b: ReadonlyMap<string, Buffer>): boolean {
  if (a.size !== b.size) return false;
  for (const [field, value] of a) if (b.get(field)?.equals(value) !== true) return false;
  return true;
}

/** Whether something of a partition's learners stands in the log after a position. */
async function isBehind({ feed, live }: CompareOptions, partition: number, after: number): Promise<boolean> {
  let position = after;
  for (let pages = 0; pages < searchMax; pages += 1) {
    const page = await feed.read(position, 5_000, { categories: ["learner"] });
    const mine = ({ stream }: { readonly stream: string }): boolean =>
      categoryOf(stream) === "learner" && partitionOf(idOf(stream), live.partitions) === partition;
    if (page.events.some(mine)) return true;
    if (page.atHead) return false;
    position = page.position;
  }
  return true;
}

async function compareLearners(options: CompareOptions, found: Findings): Promise<void> {
  const { readModels, live, shadow, signal } = options;
  const again = new Set<string>();
  for await (const page of readModels.keys(learnerPrefix(shadow.view.namespace))) {
    signal?.throwIfAborted();
    const learners = page.flatMap((key) => learnerOfKey(key) ?? []);
    found.counts.learners += learners.length;
    for (const learnerId of await unsettled(options, learners, found)) again.add(learnerId);
    if (again.size > againMax) await lookAgain(options, again, found);
  }
  for await (const page of readModels.keys(learnerPrefix(live.namespace))) {
    signal?.throwIfAborted();
    const keys = page.map((key) => shadow.view.namespace + key.slice(live.namespace.length));
    const rows = await readModels.read(keys, []);
    for (const [at, row] of rows.entries()) {
      const learnerId = learnerOfKey(page[at] ?? "");
      if (row.version > 0 || learnerId === null) continue;
      found.counts.learners += 1;
      again.add(learnerId);
    }
    if (again.size > againMax) await lookAgain(options, again, found);
  }
  await lookAgain(options, again, found);
}

/** Looks at these until all are settled or the time is up; what is left then is told. */
async function lookAgain(options: CompareOptions, again: Set<string>, found: Findings): Promise<void> {
  const { signal, patienceMs = defaultPatienceMs } = options;
  const until = performance.now() + patienceMs;
  let left = [...again];
  again.clear();
  while (left.length > 0 && performance.now() < until) {
    signal?.throwIfAborted();
    await sleep(lookAgainMs);
    left = await unsettled(options, left, found);
  }
  for (const learnerId of left) {
    if (await waitsForProjector(options, learnerId)) found.counts.behind += 1;
    else found.different(`:learner:${learnerId}`);
  }
}

/** Those whose rows stand at different events now. Those at the same one are compared. */
async function unsettled(options: CompareOptions, learners: readonly string[], found: Findings): Promise<string[]> {
  const { readModels, live, shadow } = options;
  const left: string[] = [];
  for (let from = 0; from < learners.length; from += chunkSize) {
    const chunk = learners.slice(from, from + chunkSize);
    const keys = (namespace: string): string[] => chunk.map((id) => learnerPrefix(namespace) + id);
    const [ofLive, ofShadow] = await Promise.all([
      readModels.read(keys(live.namespace)),
      readModels.read(keys(shadow.view.namespace)),
    ]);
    chunk.forEach((learnerId, at) => {
      const [a, b] = [ofLive[at], ofShadow[at]];
      if (a === undefined || b === undefined || a.version !== b.version) left.push(learnerId);
      else if (!sameFields(a.fields, b.fields)) found.different(`:learner:${learnerId}`);
    });
  }
  return left;
}

/** Behind, and its projector has not counted its last event yet: it is late, not wrong. */
async function waitsForProjector(options: CompareOptions, learnerId: string): Promise<boolean> {
  const { readModels, live, shadow, model } = options;
  const counters = countersKey(live.namespace, partitionOf(learnerId, live.partitions));
  const [a, b, counted] = await readModels.read([
    learnerPrefix(live.namespace) + learnerId,
    learnerPrefix(shadow.view.namespace) + learnerId,
    counters,
  ]);
  const state = b?.fields.get(stateField);
  if (a === undefined || b === undefined || state === undefined || a.version >= b.version) return false;
  return positionIn(counted) < (decodeLearnerState(state, model)?.position ?? 0);
}
