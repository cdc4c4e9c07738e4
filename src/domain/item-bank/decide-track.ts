import type { TrackFields } from "../events.ts";
import type { Catalogue, Item, Skill, Track } from "./catalogue.ts";
import { type Decision, defined, distinct, type RefusalCode, refused, retired, says, unchanged } from "./decision.ts";
import { contradictionOf } from "./policy-contradictions.ts";

/** Whatever makes the track stand as given. */
export function decideDefineTrack(
  asked: TrackFields,
  track: Track | undefined,
  items: ReadonlyMap<string, Pick<Item, "retired" | "kind">>,
  skills: ReadonlyMap<string, Pick<Skill, "retired">>,
  experiments: Catalogue["experiments"] = new Map(),
): Decision {
  const fields = withoutRepeats(asked);
  // An experiment that is no longer given ends.
  const stands = track !== undefined && !track.retired && says(track, { ...fields, experiment: fields.experiment });
  if (stands) return unchanged;
  return (
    firstMissing("unknown_skill", "skillIds", asked.skillIds, skills) ??
    firstMissing("unknown_item", "itemIds", asked.itemIds, items) ??
    firstMissing("unknown_item", "pinnedItemIds", asked.pinnedItemIds, items) ??
    firstMissing("unknown_item", "barredItemIds", asked.barredItemIds, items) ??
    unknownTopic(asked, skills) ??
    contradiction(asked, items) ??
    experimentRefusal(asked, experiments) ??
    defined({ type: "TrackDefined", data: fields }, track)
  );
}

export function decideRetireTrack(trackId: string, track: Track | undefined): Decision {
  if (track === undefined) return refused("unknown_track", `there is no track "${trackId}"`, "trackId");
  return track.retired ? unchanged : retired({ type: "TrackRetired", data: { trackId } });
}

/** In order: one given twice is decided on what the first made of it. */
export function decideDefineTracks(
  asked: readonly TrackFields[],
  { tracks, items, skills, experiments }: Pick<Catalogue, "tracks" | "items" | "skills" | "experiments">,
): Decision[] {
  const latest = new Map<string, Track>();
  const taken = new Map(experiments);
  return asked.map((fields) => {
    const before = latest.get(fields.trackId) ?? tracks.get(fields.trackId);
    const decision = decideDefineTrack(fields, before, items, skills, taken);
    const [event] = decision.status === "refused" ? [] : decision.events;
    if (event?.type === "TrackDefined") {
      const { trackId, experiment } = event.data;
      latest.set(trackId, { ...event.data, revision: 0, retired: false });
      if (experiment !== undefined) taken.set(experiment.experimentId, { trackId, definition: experiment });
    }
    return decision;
  });
}

/** A retired entry may be named: it comes back with its next publication, and barring it still says something. */
function firstMissing(
  code: RefusalCode,
  field: string,
  ids: readonly string[],
  entries: ReadonlyMap<string, unknown>,
): Decision | null {
  const at = ids.findIndex((id) => !entries.has(id));
  const id = ids[at];
  if (id === undefined) return null;
  return refused(code, `there is no ${code === "unknown_item" ? "item" : "skill"} "${id}"`, `${field}.${at}`);
}

function unknownTopic({ policy }: TrackFields, skills: ReadonlyMap<string, unknown>): Decision | null {
  const at = policy.topics.findIndex(({ skillId }) => skillId !== undefined && !skills.has(skillId));
  if (at < 0) return null;
  const path = `policy.topics.${at}.skillId`;
  return refused("unknown_skill", `there is no skill "${policy.topics[at]?.skillId}"`, path);
}

function contradiction(asked: TrackFields, items: ReadonlyMap<string, Pick<Item, "kind">>): Decision | null {
  const found = contradictionOf(asked, items);
  return found === null ? null : refused("contradictory_policy", found.detail, found.path);
}

/**
 * The name of an experiment stands for one comparison for ever: another track's, other policies under the same arms, or
 * another deal would mix what was measured before with what is measured from now on. Shares may change, and arms come.
 */
function experimentRefusal(
  { trackId, experiment }: TrackFields,
  experiments: Catalogue["experiments"],
): Decision | null {
  const before = experiment === undefined ? undefined : experiments.get(experiment.experimentId);
  if (experiment === undefined || before === undefined) return null;
  const { experimentId, salt, arms } = experiment;
  const refuse = (code: RefusalCode, detail: string, path: string): Decision =>
    refused(code, `experiment "${experimentId}" ${detail}; give the new one another id`, `experiment.${path}`);
  if (before.trackId !== trackId) {
    return refuse("experiment_taken", `is or was one of track "${before.trackId}"`, "experimentId");
  }
  if (before.definition.salt !== salt) return refuse("experiment_changed", "has another salt", "salt");
  if (before.definition.arms[0]?.arm !== arms[0]?.arm) {
    return refuse("experiment_changed", "has another control", "arms.0.arm");
  }
  const known = new Map(before.definition.arms.map((arm) => [arm.arm, arm.policy]));
  const at = arms.findIndex(({ arm, policy }) => {
    const old = known.get(arm);
    return old !== undefined && !(says(old, policy) && says(policy, old));
  });
  return at < 0
    ? null
    : refuse("experiment_changed", `has another policy in arm "${arms[at]?.arm}"`, `arms.${at}.policy`);
}

function withoutRepeats(track: TrackFields): TrackFields {
  return {
    ...track,
    itemIds: distinct(track.itemIds),
    skillIds: distinct(track.skillIds),
    pinnedItemIds: distinct(track.pinnedItemIds),
    barredItemIds: distinct(track.barredItemIds),
  };
}
