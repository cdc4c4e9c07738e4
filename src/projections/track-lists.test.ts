import { beforeEach, describe, expect, test } from "vitest";
import { type History, historyStart, learningHistory } from "../../test/support/learning-history.ts";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { decodeEvent } from "../domain/decode-event.ts";
import { buildBank } from "../domain/item-bank/bank.ts";
import { emptyCatalogue, evolveCatalogue } from "../domain/item-bank/catalogue.ts";
import { bankOfLearner, selectForLearner } from "../domain/learner/select-for-learner.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { lrLite } from "../domain/learner-model/models.ts";
import { depsOf, pipelineOf, runToHead } from "./invariants.contract.ts";
import { decodeNext, encodeNext, type NextList } from "./next-items.ts";
import { decodeLearnerState, learnerKey, namespaceOf, nextField, stateField } from "./rows.ts";

const model = lrLite as LearnerModel;
const namespace = namespaceOf(1, model.name, 1);
const listSize = 8; // as pipelineOf makes them

let history: History;
let interactions: number;
beforeEach(async () => {
  // The course and its track `by-item`, of skill-1 and skill-2; nobody has learned yet.
  history = await learningHistory(1, { model, events: 0 });
  interactions = 0;
});

async function answers(itemId: string, more: { trackId?: string; sessionType?: string } = {}): Promise<void> {
  interactions += 1;
  const answer = { interactionId: `i-${interactions}`, learnerId: "ada", itemId, kind: "answer", correct: true };
  const occurredAt = new Date(historyStart).toISOString();
  await history.append("learner-ada", "InteractionRecorded", { ...answer, skillIds: ["skill-1"], occurredAt, ...more });
}
const retire = () => history.append("track-by-item", "TrackRetired", { trackId: "by-item" });
const define = (skillId: string) =>
  history.append("track-by-item", "TrackDefined", { trackId: "by-item", title: "By item", skillIds: [skillId] });

/** The rows of ada as one run over the log makes them. */
async function rowOf(batchSize: number): Promise<ReadonlyMap<string, Buffer>> {
  const deps = depsOf(history, createMemoryReadModels());
  await runToHead(deps, pipelineOf(deps, namespace), batchSize);
  const [row] = await deps.readModels.read([learnerKey(namespace, "ada")]);
  if (row === undefined) throw new Error("ada has no row");
  return row.fields;
}

function field(fields: ReadonlyMap<string, Buffer>, name: string): Buffer {
  const bytes = fields.get(name);
  if (bytes === undefined) throw new Error(`no field ${name}`);
  return bytes;
}

/** The practice list, the same however the log is cut. */
async function listOf(): Promise<NextList> {
  const bytes = field(await rowOf(1000), nextField("practice"));
  for (const batchSize of [1, 3]) expect(field(await rowOf(batchSize), nextField("practice"))).toEqual(bytes);
  return decodeNext(bytes);
}

/** The catalogue as it stands at the end of the log. */
async function catalogueNow() {
  const catalogue = emptyCatalogue();
  const { events } = await history.log.read(0, 1000, { categories: ["item", "skill", "track"] });
  for (const event of events) evolveCatalogue(catalogue, decodeEvent(event));
  return catalogue;
}

describe("a learner's lists", () => {
  test("are of all items until an interaction names a track, then of the last one named", async () => {
    await answers("item-1");
    expect(await listOf()).toMatchObject({ trackId: null, policyVersion: "default@0" });
    await answers("item-2", { trackId: "by-item" });
    await answers("item-7");
    const list = await listOf();
    expect(list).toMatchObject({ trackId: "by-item", policyVersion: "by-item@1", revision: 3 });
    const offered = buildBank(await catalogueNow(), "by-item")?.items;
    expect(list.items.length).toBeGreaterThan(0);
    expect(list.items.filter(({ itemId }) => offered?.has(itemId) !== true)).toEqual([]);
  });

  test("are all of the track, that of the session the learner is in too", async () => {
    await answers("item-1", { trackId: "by-item", sessionType: "placement" });
    const fields = await rowOf(1000);
    const tracks = ["practice", "placement"] as const;
    expect(tracks.map((session) => decodeNext(field(fields, nextField(session))).trackId)).toEqual([
      "by-item",
      "by-item",
    ]);
  });

  test("name the learner's arm where the track runs an experiment, and are made under its policy", async () => {
    const arms = [
      { arm: "as-before", share: 0, policy: {} },
      { arm: "never-known", share: 1, policy: { targetSuccess: 0.3 } },
    ];
    const track = { trackId: "by-item", title: "By item", skillIds: ["skill-1"] };
    await history.append("track-by-item", "TrackDefined", { ...track, experiment: { experimentId: "e", arms } });
    await answers("item-1", { trackId: "by-item" });
    const list = await listOf();
    expect(list).toMatchObject({
      policyVersion: "by-item@2/never-known",
      arm: { experimentId: "e", arm: "never-known" },
    });
    await history.append("track-by-item", "TrackDefined", track);
    await answers("item-1");
    expect(await listOf()).toMatchObject({ policyVersion: "by-item@3", arm: null });
  });

  test("are of all items where the track is unknown", async () => {
    await answers("item-1", { trackId: "nowhere" });
    expect((await listOf()).trackId).toBeNull();
  });

  test("are of all items where the track was retired before the last event, of the track again once it is back", async () => {
    await answers("item-1", { trackId: "by-item" });
    await retire();
    expect((await listOf()).trackId).toBe("by-item");
    await answers("item-2");
    expect((await listOf()).trackId).toBeNull();
    await define("skill-0");
    expect((await listOf()).trackId).toBeNull();
    await answers("item-1");
    const list = await listOf();
    expect(list).toMatchObject({ trackId: "by-item", policyVersion: "by-item@3" });
    const offered = buildBank(await catalogueNow(), "by-item")?.items;
    expect(list.items.every(({ itemId }) => offered?.has(itemId))).toBe(true);
  });

  test.each([false, true])("are what is selected on demand from the state (track retired: %s)", async (retired) => {
    await answers("item-1", { trackId: "by-item" });
    if (retired) await retire();
    await answers("item-2");
    const fields = await rowOf(1000);
    const stored = decodeNext(field(fields, nextField("practice")));
    const state = decodeLearnerState(field(fields, stateField), model);
    if (state === null) throw new Error("the state cannot be read");
    const catalogue = await catalogueNow();
    const bank = bankOfLearner("ada", state.lastTrackId, (trackId) => buildBank(catalogue, trackId));
    expect(bank.trackId).toBe(retired ? null : "by-item");
    const how = { learnerId: "ada", state, bank, model, weights: model.newWeights(), size: listSize };
    const selection = selectForLearner({ ...how, sessionType: "practice", now: state.recordedAt });
    const { trackId, policyVersion } = bank;
    expect(decodeNext(encodeNext({ ...stored, trackId, policyVersion, ...selection }))).toEqual(stored);
  });
});
