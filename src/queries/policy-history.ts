import { decodeEvent } from "../domain/decode-event.ts";
import type { Experiment, Policy } from "../domain/events.ts";
import type { Track } from "../domain/item-bank/catalogue.ts";
import { isJsonObject } from "../domain/json-object.ts";
import { type StoredEvent, UnreadableEvent } from "../domain/stored-event.ts";
import { trackStream } from "../domain/streams.ts";
import type { EventStore } from "../ports/event-store.ts";

export interface PolicyVersion {
  /** As lists name it. */
  readonly policyVersion: string;
  readonly revision: number;
  readonly position: number;
  /** ISO 8601. */
  readonly recordedAt: string;
  /** The key that it came with; null where it did not come over the API. */
  readonly apiKeyId: string | null;
  /** What became of the track; `unreadable`: by an event that this version of the code cannot read. */
  readonly status: "defined" | "retired" | "unreadable";
  /** All settings, the defaults too; null where it says none. */
  readonly policy: Policy | null;
  readonly experiment: Experiment | null;
  /** Paths of the settings that differ from the version before, "reviews.retention"; null where that is not known. */
  readonly changed: readonly string[] | null;
}

export interface PolicyHistory {
  readonly trackId: string;
  readonly title: string;
  readonly retired: boolean;
  readonly policyVersion: string;
  readonly policy: Policy;
  readonly experiment: Experiment | null;
  /** Newest first. */
  readonly versions: readonly PolicyVersion[];
  /** Give it as `before` to read on; null at the first version. */
  readonly nextBefore: number | null;
}

/** The policy of a track as it stands and as it was before, from the log: each version, when, and by which key. */
export async function policyHistory(
  deps: { readonly eventStore: Pick<EventStore, "readStream"> },
  track: Track,
  { before, count }: { readonly before?: number | undefined; readonly count: number },
): Promise<PolicyHistory> {
  const { trackId, title, revision, retired, policy, experiment } = track;
  const from = before ?? Number.MAX_SAFE_INTEGER;
  const read =
    from <= 1
      ? []
      : await deps.eventStore.readStream(trackStream(trackId), {
          ...(before === undefined ? {} : { from: before - 1 }),
          ...{ direction: "backwards", limit: count + 1 },
        });
  // One more than is shown: what the last one changed is told by the one before it.
  const all = read.map((stored) => versionOf(trackId, stored));
  const versions = all.slice(0, count).map((version, at) => ({ ...version, changed: changedIn(version, all[at + 1]) }));
  const last = versions.at(-1);
  return {
    ...{ trackId, title, retired, policyVersion: `${trackId}@${revision}`, policy, experiment: experiment ?? null },
    ...{ versions, nextBefore: last === undefined || last.revision <= 1 ? null : last.revision },
  };
}

function versionOf(trackId: string, stored: StoredEvent): Omit<PolicyVersion, "changed"> {
  const { revision, position, recordedAt } = stored;
  const place = { policyVersion: `${trackId}@${revision}`, revision, position, recordedAt };
  try {
    const event = decodeEvent(stored);
    const apiKeyId = event.metadata.apiKeyId ?? null;
    if (event.type !== "TrackDefined") return { ...place, apiKeyId, status: "retired", policy: null, experiment: null };
    const { policy, experiment = null } = event.data;
    return { ...place, apiKeyId, status: "defined", policy, experiment };
  } catch (error) {
    if (!(error instanceof UnreadableEvent)) throw error;
    return { ...place, apiKeyId: null, status: "unreadable", policy: null, experiment: null };
  }
}

function changedIn(
  { revision, policy }: Pick<PolicyVersion, "revision" | "policy">,
  before: Pick<PolicyVersion, "policy"> | undefined,
): readonly string[] | null {
  if (revision === 1) return [];
  return policy === null || before === undefined || before.policy === null ? null : differences(before.policy, policy);
}

/** Paths at which two settings differ; a list differs as a whole. */
export function differences(before: object, after: object, path = ""): string[] {
  const own = Object.keys(after).concat(Object.keys(before).filter((key) => !(key in after)));
  return own.flatMap((key) => {
    const [a, b] = [(before as Record<string, unknown>)[key], (after as Record<string, unknown>)[key]];
    if (isJsonObject(a) && isJsonObject(b)) return differences(a, b, `${path}${key}.`);
    return JSON.stringify(a) === JSON.stringify(b) ? [] : [`${path}${key}`];
  });
}
