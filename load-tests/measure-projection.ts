import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { createMemoryBlobs } from "../src/adapters/blobs/memory.ts";
import { createMemoryLog } from "../src/adapters/event-store/memory.ts";
import { createMemoryReadModels } from "../src/adapters/read-models/memory.ts";
import { course } from "../src/app/demo/course.ts";
import { decodeEvent } from "../src/domain/decode-event.ts";
import type { DomainEvent, EventOf } from "../src/domain/events.ts";
import type { ItemBank, Selection } from "../src/domain/item-selection/selection.ts";
import { evolveLearner, type LearnerState, newLearnerState } from "../src/domain/learner/learner-state.ts";
import { selectForLearner } from "../src/domain/learner/select-for-learner.ts";
import { defaultModel, type ModelName } from "../src/domain/learner-model/model-names.ts";
import { learnerModels } from "../src/domain/learner-model/models.ts";
import type { StoredEvent } from "../src/domain/stored-event.ts";
import type { GuardedWrite } from "../src/ports/read-models.ts";
import { createContext } from "../src/projections/context.ts";
import { decodeLearnerState, encodeLearnerState } from "../src/projections/learner-scores.ts";
import { encodeNext } from "../src/projections/next-items.ts";
import { createPipeline, type Pipeline } from "../src/projections/pipeline.ts";
import { learnerKey, namespaceOf, nextField, nextListSize, stateField } from "../src/projections/rows.ts";
import { allocationsOf } from "./allocation-profile.ts";

/*
 * What folding one event into the read models costs, by phase: `node load-tests/measure-projection.ts`
 * [--learners 1000,20000] [--answers 50] [--batch 20000] [--batches 3] [--allocations 25].
 *
 * Learners answer the demo course at random, about so many answers each; then batches of further events are measured.
 * A phase is that of the fastest fifth of chunks of 200 learners, in microseconds of this thread for one learner, which leaves
 * out pauses of the garbage collector and other work on the machine. `pipeline` is the whole of it, on read models in memory, as
 * microseconds of CPU of all threads for one EVENT, the collector's included: with few learners several events of a batch
 * are one learner's, who is decoded, selected for, and written once. `cached` is the same where the pipeline has all learners in memory.
 * --allocations N: instead of time, the bytes of heap that an event takes, by the N functions that take most.
 */

const { values } = parseArgs({
  options: {
    learners: { type: "string", default: "1000,20000" },
    answers: { type: "string", default: "50" },
    batch: { type: "string", default: "20000" },
    batches: { type: "string", default: "3" },
    size: { type: "string", default: String(nextListSize) },
    allocations: { type: "string" },
    model: { type: "string", default: defaultModel },
  },
});
const answers = Number(values.answers);
const batch = Number(values.batch);
const batches = Number(values.batches);
const listSize = Number(values.size);
const chunk = 200;
const model = learnerModels[values.model as ModelName];
const weights = model.newWeights();
const namespace = namespaceOf(1, model.name, 1);
const start = Date.parse("2026-03-01T08:00:00Z");
const silent = { debug() {}, info() {}, warn() {}, error: console.error };
const deps = { model, clock: { now: Date.now }, log: silent, blobs: createMemoryBlobs() };

/** The same numbers on every machine. */
let seed = 42;
function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
}

const log = createMemoryLog();
for (const data of course.skills) await publish(`skill-${data.skillId}`, "SkillDefined", data);
for (const data of course.items) await publish(`item-${data.itemId}`, "ItemPublished", data);

async function publish(stream: string, type: string, data: object): Promise<void> {
  const event = {
    eventId: randomUUID(),
    type,
    data,
    metadata: { schemaVersion: 1 },
    recordedAt: new Date(start).toISOString(),
  };
  await log.append([{ stream, expected: "any", events: [event] }]);
}
const courseEnd = await log.head();
const context = createContext({ feed: log, ...deps });
await context.moveTo(courseEnd);
const bank = context.bank(null) as ItemBank;

let position = courseEnd;
function interaction(learners: number, revisions: Uint32Array, number = Math.floor(random() * learners)): StoredEvent {
  const item = course.items[Math.floor(random() * course.items.length)] as (typeof course.items)[number];
  position += 1;
  const at = new Date(start + position * 37).toISOString();
  const revision = (revisions[number] ?? 0) + 1;
  revisions[number] = revision;
  return {
    ...{
      type: "InteractionRecorded",
      eventId: `00000000-0000-4000-8000-${position}`,
      stream: `learner-learner-${number}`,
    },
    ...{ revision, position, recordedAt: at, metadata: { schemaVersion: 1, apiKeyId: "0123456789abcdef" } },
    data: {
      ...{ interactionId: `n${position}`, learnerId: `learner-${number}`, itemId: item.itemId, kind: "answer" },
      ...{ skillIds: item.skillIds, correct: random() < 0.4 + (0.5 * number) / learners, occurredAt: at },
      ...{ durationMs: 3000 + Math.floor(random() * 20_000), source: "api" },
    },
  };
}

const fold = (state: LearnerState, event: DomainEvent) =>
  evolveLearner(state, event as EventOf<"InteractionRecorded">, { model, weights, policy: bank.policy });

const select = (state: LearnerState, learnerId: string): Selection =>
  selectForLearner({
    ...{ learnerId, state, bank, model, weights, sessionType: "practice", now: state.recordedAt, size: listSize },
  });

function listBytes(state: LearnerState, selection: Selection): Buffer {
  const { revision, position, recordedAt: at } = state;
  return encodeNext({
    ...{ revision, position, at, sessionType: "practice", trackId: null, policyVersion: bank.policyVersion },
    arm: null,
    ...{ model: model.name, modelVersion: 1, ...selection },
  });
}

const write = (learnerId: string, from: number, to: number, state: Buffer, next: Buffer): GuardedWrite => ({
  ...{ key: learnerKey(namespace, learnerId), from, to, remove: [] },
  set: new Map([
    [nextField("practice"), next],
    [stateField, state],
  ]),
});

const fastFifth = (all: number[]): number => all.sort((a, b) => a - b)[Math.floor(all.length / 5)] ?? Number.NaN;

/** Rows as they stand after the first answers, in one piece each. Some of the answers train the model. */
function firstAnswers(learners: number, revisions: Uint32Array): Buffer[] {
  return Array.from({ length: learners }, (_, learner) => {
    const state = newLearnerState(model);
    const pupil = learner % 100 === 0 ? model.newLocal() : null;
    for (let n = 0; n < answers; n += 1) {
      const stored = interaction(learners, revisions, learner);
      fold(state, stored as DomainEvent);
      const { itemId, skillIds, correct } = stored.data as { itemId: string; skillIds: string[]; correct: boolean };
      if (pupil !== null) model.learn(weights, pupil, { itemId, skillIds, correct, at: null });
    }
    return encodeLearnerState(state, model);
  });
}

async function measure(learners: number): Promise<void> {
  position = courseEnd;
  const revisions = new Uint32Array(learners);
  const rows = firstAnswers(learners, revisions);
  const bytes = rows.reduce((sum, row) => sum + row.length, 0) / learners;
  console.log(`${learners} learners, ${answers} answers each; a state has ${bytes.toFixed(0)} bytes`);
  const empty = Buffer.alloc(0);
  const fresh = async () => {
    const readModels = createMemoryReadModels();
    await readModels.write(rows.map((row, n) => write(`learner-${n}`, 0, revisions[n] ?? 0, row, empty)));
    return readModels;
  };
  const known = { revisions: Uint32Array.from(revisions), position };
  if (values.allocations === undefined) await phases(learners, rows, Uint32Array.from(revisions), await fresh());
  await pipeline("pipeline", learners, Math.ceil(learners / 20), { ...known, readModels: await fresh() });
  await pipeline("cached", learners, learners, { ...known, readModels: await fresh() });
}

/** Each learner at most once, so that a phase does one thing. */
async function phases(
  learners: number,
  rows: readonly Buffer[],
  revisions: Uint32Array,
  readModels: ReturnType<typeof createMemoryReadModels>,
): Promise<void> {
  const nobody = new Uint32Array(learners);
  const times = new Map<string, number[]>();
  let listBytesSum = 0;
  let lists = 0;
  const timed = <In, Out>(name: string, inputs: readonly In[], work: (input: In, at: number) => Out): Out[] => {
    const startedAt = performance.now();
    const out: Out[] = [];
    for (let at = 0; at < inputs.length; at += 1) out.push(work(inputs[at] as In, at));
    const all = times.get(name) ?? [];
    all.push(((performance.now() - startedAt) * 1000) / inputs.length);
    times.set(name, all);
    return out;
  };
  const order = Array.from({ length: learners }, (_, n) => n).sort(() => random() - 0.5);
  for (let round = 0; round < Math.max(1, 10_000 / learners); round += 1) {
    for (let from = 0; from < Math.min(learners, 10_000); from += chunk) {
      const numbers = order.slice(from, from + chunk);
      const stored = numbers.map((number) => {
        const at = revisions[number] ?? 0;
        const one = interaction(learners, nobody);
        const learnerId = `learner-${number}`;
        return {
          ...one,
          stream: `learner-${learnerId}`,
          revision: at + 1,
          data: { ...(one.data as object), learnerId },
        };
      });
      const events = timed("decode event", stored, decodeEvent);
      const states = timed(
        "decode state",
        numbers,
        (n) => decodeLearnerState(rows[n] as Buffer, model) as LearnerState,
      );
      timed("fold", events, (event, at) => fold(states[at] as LearnerState, event));
      const selections = timed("select", states, (state, at) => select(state, `learner-${numbers[at]}`));
      const nexts = timed("encode list", selections, (one, at) => listBytes(states[at] as LearnerState, one));
      const encoded = timed("encode state", states, (state) => encodeLearnerState(state, model));
      const writes = numbers.map((n, at) => {
        const version = revisions[n] ?? 0;
        return write(`learner-${n}`, version, version, encoded[at] as Buffer, nexts[at] as Buffer);
      });
      const startedAt = performance.now();
      await readModels.write(writes);
      times.set("write", [...(times.get("write") ?? []), ((performance.now() - startedAt) * 1000) / writes.length]);
      listBytesSum += nexts.reduce((sum, next) => sum + next.length, 0);
      lists += nexts.length;
    }
  }
  let sum = 0;
  for (const [name, all] of times) {
    const us = fastFifth(all);
    sum += us;
    console.log(`  ${name.padEnd(14)} ${us.toFixed(1).padStart(7)} us`);
  }
  console.log(
    `  ${"sum".padEnd(14)} ${sum.toFixed(1).padStart(7)} us; a list has ${(listBytesSum / lists).toFixed(0)} bytes`,
  );
}

interface Known {
  readonly readModels: ReturnType<typeof createMemoryReadModels>;
  readonly revisions: Uint32Array;
  readonly position: number;
}

async function pipeline(name: string, learners: number, learnersInMemory: number, known: Known): Promise<void> {
  const { readModels } = known;
  position = known.position;
  const revisions = Uint32Array.from(known.revisions);
  const options = { namespace, partition: 0, partitions: 1, listSize, learnersInMemory, popularTickMs: 1e9 };
  const one = createPipeline({ ...deps, feed: log, store: log, readModels }, options);
  await one.load();
  const catalogue = await log.read(0, 10_000);
  await one.handle({ ...catalogue, position: known.position });
  const warm = Array.from({ length: 2 * learnersInMemory }, () => interaction(learners, revisions));
  await one.handle({ events: warm, position, atHead: false });
  if (values.allocations !== undefined) return allocations(name, one.handle, () => interaction(learners, revisions));
  let us = 0;
  let wallMs = 0;
  for (let n = 0; n < batches; n += 1) {
    const events = Array.from({ length: batch }, () => interaction(learners, revisions));
    const [cpu, at] = [process.cpuUsage(), performance.now()];
    await one.handle({ events, position, atHead: false });
    const { user, system } = process.cpuUsage(cpu);
    us += user + system;
    wallMs += performance.now() - at;
  }
  const each = (us / (batches * batch)).toFixed(1);
  console.log(
    `  ${name.padEnd(14)} ${each.padStart(7)} us of CPU, ${((wallMs * 1000) / (batches * batch)).toFixed(1)} us of time, for an event`,
  );
}

async function allocations(name: string, handle: Pipeline["handle"], next: () => StoredEvent): Promise<void> {
  const pages = Array.from({ length: batches }, () => {
    const events = Array.from({ length: batch }, next);
    return { events, position, atHead: false };
  });
  const sites = await allocationsOf(async () => {
    for (const page of pages) await handle(page);
  });
  const perEvent = (bytes: number): string => (bytes / (batches * batch)).toFixed(0).padStart(7);
  console.log(`  ${name}: bytes of heap for an event`);
  console.log(`  ${perEvent(sites.reduce((sum, { bytes }) => sum + bytes, 0))} in all`);
  for (const { site, bytes } of sites.slice(0, Number(values.allocations))) console.log(`  ${perEvent(bytes)} ${site}`);
}

for (const learners of values.learners.split(",")) await measure(Number(learners));
