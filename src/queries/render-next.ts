import { hash } from "node:crypto";
import type { ExperimentArm, ItemsServed, SessionType } from "../domain/events.ts";
import type { Reason, SelectedItem, Stop } from "../domain/item-selection/selection.ts";
import { type ItemJson, shareJson, stopJson } from "./item-json.ts";
import type { NextSource } from "./next-request.ts";
import { type Rendered, rendered } from "./rendered.ts";

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
  readonly items: readonly SelectedItem[];
  /** How it was selected, for the record of it. */
  readonly selection: {
    /** Items that were asked for. */
    readonly size: number;
    /** Of which `items` are the first, but for those passed over. */
    readonly items: readonly SelectedItem[];
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
 * `itemJson` gives the static part of each item; an item it does not know is left out. `recordedShare` of all lists, 0..1, are
 * to be recorded as served: chosen by their ids, which tell nothing of what is in them.
 */
export function renderNext(answer: NextAnswer, itemJson: ItemJson, recordedShare = 0): Rendered {
  const { learnerId, source, computed, trackId, sessionType, policyVersion, model, modelVersion } = answer;
  let items = "";
  // The items of a list share a few reasons.
  const reasons: Reason[] = [];
  const reasonJsons: string[] = [];
  for (const { itemId, p, score, propensity, reason } of answer.items) {
    const known = itemJson.of(itemId);
    if (known === null) continue;
    if (items !== "") items += ",";
    let number = reasons.indexOf(reason);
    if (number < 0) {
      number = reasons.push(reason) - 1;
      reasonJsons.push(itemJson.reason(reason));
    }
    items += `{${known},"p":${shareJson(p)},"score":${shareJson(score)},"propensity":${propensity},"reason":${reasonJsons[number]}}`;
  }
  const beforeAge =
    `{"learnerId":${JSON.stringify(learnerId)},"source":"${source}","computed":"${computed}",` +
    `"trackId":${JSON.stringify(trackId)},"sessionType":"${sessionType}",` +
    `"policyVersion":${JSON.stringify(policyVersion)},${experimentJson(answer.arm)}"model":"${model}","modelVersion":${modelVersion},` +
    `"revision":${answer.revision},"position":${answer.position},"ageMs":`;
  const selectionId = selectionIdOf(answer);
  const afterAge = `,"selectionId":"${selectionId}","stop":${stopJson(answer.stop)},"items":[${items}]`;
  const passing = source === "stale";
  const toRecord = chosen(selectionId, recordedShare)
    ? { selectionId, list: () => itemsServed(answer, selectionId) }
    : null;
  return rendered({ ...answer, passing, toRecord }, beforeAge, afterAge);
}

const chosen = (selectionId: string, share: number): boolean =>
  share > 0 && Number.parseInt(selectionId.slice(0, 8), 16) < share * 2 ** 32;

/** The list as its event says it. */
function itemsServed(answer: NextAnswer, selectionId: string): ItemsServed {
  const { learnerId, sessionType, trackId, policyVersion, arm, model, modelVersion, selection } = answer;
  const { revision, position, source, computed } = answer;
  const shown = new Set(answer.items.map(({ itemId }) => itemId));
  return {
    ...{ selectionId, learnerId, sessionType, trackId, policyVersion, model, modelVersion },
    ...(arm === null ? {} : { experiment: arm }),
    ...{ revision, position, source, computed, size: selection.size },
    ...(selection.skillIds === null ? {} : { skillIds: [...selection.skillIds] }),
    ...(selection.sessionId === undefined ? {} : { sessionId: selection.sessionId }),
    ...(selection.cut ? { cut: true as const } : {}),
    items: answer.items.map(({ itemId, p, propensity, reason: { code, rules } }) => ({
      ...{ itemId, p, propensity, reason: code },
      ...(rules === undefined ? {} : { rules: [...rules] }),
    })),
    candidates: selection.items.map(({ itemId }) => itemId).filter((itemId) => !shown.has(itemId)),
    ...(answer.stop === null ? {} : { stop: answer.stop.reason }),
  };
}

const experimentJson = (arm: ExperimentArm | null): string =>
  arm === null ? "" : `"experiment":${JSON.stringify(arm)},`;

/** The same list has the same id, so that an answer can name the list it follows from, without a write for each query. */
function selectionIdOf(answer: NextAnswer): string {
  const { learnerId, computed, sessionType, policyVersion, model, modelVersion, revision, position, at } = answer;
  const ids = answer.items.map((item) => item.itemId).join(" ");
  // A learner nothing is known of is given the same list at any time, as long as the same is popular.
  const time = revision === 0 ? 0 : at;
  const facts = [learnerId, computed, sessionType, policyVersion, model, modelVersion, revision, position, time, ids];
  return hash("sha256", facts.join("\n"), "hex").slice(0, 24);
}
