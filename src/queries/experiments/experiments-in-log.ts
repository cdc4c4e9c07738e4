import { decodeEvent } from "../../domain/decode-event.ts";
import type { Experiment } from "../../domain/events.ts";
import { idOf } from "../../domain/streams.ts";
import type { Feed } from "../../ports/feed.ts";

/** An experiment from its first definition on. */
export interface ExperimentInLog {
  readonly experimentId: string;
  readonly trackId: string;
  readonly status: "running" | "ended";
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Of the log: what happened after `from` up to `to` (null: to the end) is of the experiment. */
  readonly from: number;
  readonly to: number | null;
  /** As defined last; the first is the control. */
  readonly arms: Experiment["arms"];
  /** Times it was defined otherwise than before: shares, arms, or the policy of its track. */
  readonly changes: number;
}

interface Mutable extends ExperimentInLog {
  status: "running" | "ended";
  endedAt: string | null;
  to: number | null;
  arms: Experiment["arms"];
  changes: number;
  definition: string;
}

const pageSize = 1_000;

/** Every experiment that the log knows, the oldest first. Reads the events of tracks, which are few. */
export async function experimentsInLog(feed: Pick<Feed, "read">): Promise<ExperimentInLog[]> {
  const found = new Map<string, Mutable>();
  /** By track: the one that runs. */
  const running = new Map<string, Mutable>();
  const end = (trackId: string, at: { recordedAt: string; position: number }): void => {
    const ending = running.get(trackId);
    running.delete(trackId);
    if (ending !== undefined) Object.assign(ending, { status: "ended", endedAt: at.recordedAt, to: at.position });
  };
  for (let position = 0, atHead = false; !atHead; ) {
    const page = await feed.read(position, pageSize, { categories: ["track"] });
    for (const stored of page.events) {
      const event = decodeEvent(stored);
      const trackId = idOf(event.stream);
      const experiment = event.type === "TrackDefined" ? event.data.experiment : undefined;
      if (running.get(trackId)?.experimentId !== experiment?.experimentId) end(trackId, event);
      if (event.type !== "TrackDefined" || experiment === undefined) continue;
      const known = found.get(experiment.experimentId);
      const definition = JSON.stringify([experiment.arms, event.data.policy]);
      const changed = known !== undefined && known.definition !== definition;
      const one: Mutable = {
        ...{ experimentId: experiment.experimentId, trackId, status: "running", endedAt: null, to: null, definition },
        ...{ startedAt: known?.startedAt ?? event.recordedAt, from: known?.from ?? event.position },
        ...{ arms: experiment.arms, changes: (known?.changes ?? 0) + (changed ? 1 : 0) },
      };
      found.set(experiment.experimentId, one);
      running.set(trackId, one);
    }
    ({ position, atHead } = page);
  }
  return Array.from(found.values(), ({ definition: _, ...one }) => one);
}
