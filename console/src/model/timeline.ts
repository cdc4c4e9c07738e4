import type { HistoryAnswer } from "../api/answers.ts";

export type HistoryEvent = HistoryAnswer["events"][number];

/** What an event of a learner says, as far as these pages show it. Fields are as they are stored, and may be anything. */
export interface Told {
  readonly kind: string;
  readonly itemId: string | null;
  readonly correct: boolean | null;
  readonly durationMs: number | null;
  readonly occurredAt: string | null;
}

export function toldBy({ type, data }: Pick<HistoryEvent, "type" | "data">): Told {
  const fields = typeof data === "object" && data !== null ? (data as Record<string, unknown>) : {};
  const { kind, itemId, correct, durationMs, occurredAt } = fields;
  return {
    kind: typeof kind === "string" ? kind : type,
    itemId: typeof itemId === "string" ? itemId : null,
    correct: typeof correct === "boolean" ? correct : null,
    durationMs: typeof durationMs === "number" ? durationMs : null,
    occurredAt: typeof occurredAt === "string" ? occurredAt : null,
  };
}

export function outcomeOf({ kind, correct }: Told): string {
  if (correct === null) return kind;
  return correct ? "right" : "wrong";
}

/** The learner's events, oldest first: a slider has one place for each, and one after them for now. */
export interface Timeline {
  readonly steps: readonly HistoryEvent[];
  /** Where there are more before the first. */
  readonly nextBefore: number | null;
}

/** A page of history (newest first) put before what is there. */
export function withEarlier(timeline: Timeline | null, page: Pick<HistoryAnswer, "events" | "nextBefore">): Timeline {
  return { steps: [...page.events.toReversed(), ...(timeline?.steps ?? [])], nextBefore: page.nextBefore };
}

/** For `at=` of a question; null is now. Place 0 is after the first event. */
export function positionAt({ steps }: Timeline, place: number): number | null {
  return place >= steps.length ? null : (steps[place]?.position ?? null);
}

/** What a place of the slider is, in words. */
export function placeInWords(timeline: Timeline, place: number): string {
  const step = timeline.steps[place];
  if (step === undefined) return "now";
  return `after event ${step.revision}: ${outcomeOf(toldBy(step))}, ${step.title ?? toldBy(step).itemId ?? step.type}`;
}
