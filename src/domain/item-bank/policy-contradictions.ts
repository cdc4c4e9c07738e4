import type { Policy, TrackFields } from "../events.ts";
import type { Item } from "./catalogue.ts";

/** A field that cannot hold beside another. */
export interface Contradiction {
  /** "policy.topics.1", as in the track. */
  readonly path: string;
  readonly detail: string;
}

/** The first thing a track asks for that cannot be: within its policy, within an arm's, or of pins and bars. */
export function contradictionOf(
  track: TrackFields,
  items: ReadonlyMap<string, Pick<Item, "kind">>,
): Contradiction | null {
  return inPolicy(track.policy, "policy") ?? inArms(track) ?? inPins(track, items);
}

function inArms({ policy, experiment }: TrackFields): Contradiction | null {
  for (const [place, arm] of (experiment?.arms ?? []).entries()) {
    const given = Object.entries(arm.policy).filter(([, value]) => value !== undefined);
    const found = inPolicy({ ...policy, ...Object.fromEntries(given) }, `experiment.arms.${place}.policy`);
    if (found !== null) return found;
  }
  return null;
}

function inPolicy(policy: Policy, path: string): Contradiction | null {
  const { prerequisiteThreshold, masteryThreshold, exposure } = policy;
  if (prerequisiteThreshold > masteryThreshold) {
    const thresholds = `prerequisiteThreshold (${prerequisiteThreshold}) is above masteryThreshold (${masteryThreshold})`;
    const detail = `${thresholds}: a prerequisite would be held later than it is mastered`;
    return { path: `${path}.prerequisiteThreshold`, detail };
  }
  if (exposure.restDays !== null && exposure.timesMax === null) {
    return { path: `${path}.exposure.restDays`, detail: "restDays without timesMax: to rest after how many times?" };
  }
  return inTopics(policy.topics, `${path}.topics`);
}

function inTopics(topics: Policy["topics"], path: string): Contradiction | null {
  const seen = new Set<string>();
  let least = 0;
  for (const [place, { skillId, tag, minShare, maxShare }] of topics.entries()) {
    const at = `${path}.${place}`;
    if ((skillId === undefined) === (tag === undefined)) {
      return { path: at, detail: "a topic is the items of a skillId, or those with a tag: give one of them" };
    }
    const name = skillId === undefined ? `tag "${tag}"` : `skill "${skillId}"`;
    if (seen.has(name)) return { path: at, detail: `${name} is given twice` };
    seen.add(name);
    if (minShare > maxShare) {
      return {
        path: `${at}.minShare`,
        detail: `the least share of ${name} (${minShare}) is above its largest (${maxShare})`,
      };
    }
    least += minShare;
  }
  if (least <= 1 + 1e-9) return null;
  return { path, detail: `the least shares add up to ${Number(least.toFixed(4))}, more than the whole` };
}

function inPins(
  { pinnedItemIds, barredItemIds, policy }: TrackFields,
  items: ReadonlyMap<string, Pick<Item, "kind">>,
): Contradiction | null {
  const barred = new Set(barredItemIds);
  const { itemKinds } = policy;
  for (const [place, itemId] of pinnedItemIds.entries()) {
    const path = `pinnedItemIds.${place}`;
    if (barred.has(itemId)) return { path, detail: `item "${itemId}" is pinned and barred` };
    const kind = items.get(itemId)?.kind;
    if (itemKinds.length > 0 && kind !== undefined && !itemKinds.includes(kind)) {
      return { path, detail: `item "${itemId}" is pinned, and its kind "${kind}" is not among the kinds allowed` };
    }
  }
  return null;
}
