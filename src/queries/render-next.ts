import type { ExperimentArm, ItemsServed, SessionType } from "../domain/events.ts";
import type { SelectedItem, Stop } from "../domain/item-selection/selection.ts";
import { stopJson } from "./item-json.ts";
import type { NextSource } from "./next-request.ts";
import { type Piece, Pieces, piece, sumOf } from "./pieces.ts";
import { remembered } from "./remembered.ts";
import { type Rendered, renderedOf } from "./rendered.ts";
import { SelectionId } from "./selection-id.ts";
import type { ShownItems } from "./shown-items.ts";

/** A list ready to be put into words: precomputed, selected on demand, or popular. */
export interface NextAnswer {
  readonly learnerId: string;
  readonly source: NextSource;
  readonly computed: "precomputed" | "on_demand";
  readonly trackId: string | null;
  readonly sessionType: SessionType;
  readonly policyVersion: string;
  /** Where the track runs an experiment: the learner's arm. */
  readonly arm: ExperimentArm | null;
  readonly model: string;
  readonly modelVersion: number;
  /** Of the learner's stream and of the log: the last event that the list knows. 0 for a learner nothing is known of. */
  readonly revision: number;
  readonly position: number;
  /** When what the list is made from was written, milliseconds since 1970. */
  readonly at: number;
  /** Milliseconds since 1970 until which time alone does not change the items; null for always. */
  readonly holdsUntil: number | null;
  readonly stop: Stop | null;
  items(): readonly SelectedItem[];
  /** How it was selected, for the record of it. */
  readonly selection: {
    /** Items that were asked for. */
    readonly size: number;
    /** Of which `items` are the first, but for those passed over. */
    items(): readonly SelectedItem[];
    /** Items were passed over: places in the answer are not those in the selection. */
    readonly cut: boolean;
    /** Only items with one of these skills; null for any. */
    readonly skillIds: readonly string[] | null;
    /** The session that was named. */
    readonly sessionId?: string | undefined;
  };
}

/**
 * The answer as JSON, by hand: JSON.stringify of the whole would take longer than all the rest of the request.
 * `shown`: its items, in words; `sum`: 32 bits for what these say and their checksum does not. `recordedShare` of all lists, 0..1, are
 * to be recorded as served: chosen by their ids, which tell nothing of what is in them.
 */
export function renderNext(answer: NextAnswer, shown: ShownItems, sum: number, recordedShare = 0): Rendered {
  const learner = sumOf(answer.learnerId);
  const { json, made } = alike(answer);
  const id = selectionIdOf(answer, made, learner, shown.idSums);
  const selectionId = id.text;
  const before = new Pieces();
  before.constant('{"learnerId":');
  before.any(JSON.stringify(answer.learnerId), learner);
  before.add(json);
  before.number(answer.revision, String(answer.revision));
  before.constant(',"position":');
  before.number(answer.position, String(answer.position));
  before.constant(',"ageMs":');
  const after = new Pieces();
  after.word(`,"selectionId":"${selectionId}","stop":${stopJson(answer.stop)},"items":[`, id.chance);
  after.add(shown.json);
  after.word("]", sum);
  const passing = answer.source === "stale";
  const chosen = id.chance < recordedShare * 2 ** 32;
  const toRecord = chosen ? { id, list: () => itemsServed(answer, selectionId) } : null;
  const { revision, at, holdsUntil } = answer;
  return renderedOf({ revision, at, holdsUntil, passing, toRecord }, before, after);
}

/** What many answers say alike. */
const constantPiece = remembered(1_000, piece);
interface Alike {
  readonly of: NextAnswer;
  readonly json: Piece;
  /** 32 bits of how it was made, for the id of the list. */
  readonly made: number;
}
let last: Alike | null = null;

const saysAlike = (a: NextAnswer, b: NextAnswer): boolean =>
  a.policyVersion === b.policyVersion &&
  a.trackId === b.trackId &&
  a.modelVersion === b.modelVersion &&
  a.sessionType === b.sessionType &&
  a.computed === b.computed &&
  a.source === b.source &&
  a.model === b.model &&
  a.arm === null &&
  b.arm === null;

function alike(answer: NextAnswer): Alike {
  if (last !== null && saysAlike(last.of, answer)) return last;
  const { source, computed, trackId, sessionType, policyVersion, arm, model, modelVersion } = answer;
  const text =
    `,"source":"${source}","computed":"${computed}",` +
    `"trackId":${JSON.stringify(trackId)},"sessionType":"${sessionType}",` +
    `"policyVersion":${JSON.stringify(policyVersion)},${experimentJson(arm)}"model":"${model}","modelVersion":${modelVersion},` +
    `"revision":`;
  const json = constantPiece(text);
  // Without its items: it is kept.
  const of = { ...answer, items: () => [], selection: { ...answer.selection, items: () => [] } };
  const made = textSum(policyVersion) ^ Math.imul(textSum(model), 3) ^ Math.imul(textSum(sessionType), 5);
  last = { of, json, made: computed === "precomputed" ? made : ~made };
  return last;
}

/** The list as its event says it. */
function itemsServed(answer: NextAnswer, selectionId: string): ItemsServed {
  const { learnerId, sessionType, trackId, policyVersion, arm, model, modelVersion, selection } = answer;
  const { revision, position, source, computed } = answer;
  const items = answer.items();
  const shown = new Set(items.map(({ itemId }) => itemId));
  return {
    ...{ selectionId, learnerId, sessionType, trackId, policyVersion, model, modelVersion },
    ...(arm === null ? {} : { experiment: arm }),
    ...{ revision, position, source, computed, size: selection.size },
    ...(selection.skillIds === null ? {} : { skillIds: [...selection.skillIds] }),
    ...(selection.sessionId === undefined ? {} : { sessionId: selection.sessionId }),
    ...(selection.cut ? { cut: true as const } : {}),
    items: items.map(({ itemId, p, propensity, reason: { code, rules } }) => ({
      ...{ itemId, p, propensity, reason: code },
      ...(rules === undefined ? {} : { rules: [...rules] }),
    })),
    candidates: selection
      .items()
      .map(({ itemId }) => itemId)
      .filter((itemId) => !shown.has(itemId)),
    ...(answer.stop === null ? {} : { stop: answer.stop.reason }),
  };
}

const experimentJson = (arm: ExperimentArm | null): string =>
  arm === null ? "" : `"experiment":${JSON.stringify(arm)},`;

function selectionIdOf(answer: NextAnswer, made: number, learner: number, idSums: readonly number[]): SelectionId {
  const { modelVersion, revision, position, at } = answer;
  // A learner nothing is known of is given the same list at any time, as long as the same is popular.
  const time = revision === 0 ? 0 : at;
  const id = new SelectionId({ learner, made, modelVersion, revision, position, time });
  for (let k = 0; k < idSums.length; k++) id.add(idSums[k] as number);
  return id;
}

/** Of texts that come again and again. */
const textSum = remembered(10_000, sumOf);
