import type { TrackFields } from "../events.ts";
import type { Catalogue, Item, Skill, Track } from "./catalogue.ts";
import { type Decision, defined, distinct, type RefusalCode, refused, retired, says, unchanged } from "./decision.ts";

/** Whatever makes the track stand as given. */
export function decideDefineTrack(
  asked: TrackFields,
  track: Track | undefined,
  items: ReadonlyMap<string, Pick<Item, "retired">>,
  skills: ReadonlyMap<string, Pick<Skill, "retired">>,
): Decision {
  const fields = withoutRepeats(asked);
  if (track !== undefined && !track.retired && says(track, fields)) return unchanged;
  return (
    firstMissing("unknown_skill", "skillIds", asked.skillIds, skills) ??
    firstMissing("unknown_item", "itemIds", asked.itemIds, items) ??
    firstMissing("unknown_item", "pinnedItemIds", asked.pinnedItemIds, items) ??
    firstMissing("unknown_item", "barredItemIds", asked.barredItemIds, items) ??
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
  { tracks, items, skills }: Pick<Catalogue, "tracks" | "items" | "skills">,
): Decision[] {
  const latest = new Map<string, Track>();
  return asked.map((fields) => {
    const decision = decideDefineTrack(fields, latest.get(fields.trackId) ?? tracks.get(fields.trackId), items, skills);
    const [event] = decision.status === "refused" ? [] : decision.events;
    if (event?.type === "TrackDefined") latest.set(fields.trackId, { ...event.data, revision: 0, retired: false });
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

function withoutRepeats(track: TrackFields): TrackFields {
  return {
    ...track,
    itemIds: distinct(track.itemIds),
    skillIds: distinct(track.skillIds),
    pinnedItemIds: distinct(track.pinnedItemIds),
    barredItemIds: distinct(track.barredItemIds),
  };
}
