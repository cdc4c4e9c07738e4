import type { EventOf, Policy } from "../../domain/events.ts";
import { isMastered } from "../../domain/item-selection/mastered.ts";
import { heldMastery } from "../../domain/learner/held-mastery.ts";
import type { LearnerState } from "../../domain/learner/learner-state.ts";
import type { Part } from "../statistics/comparison.ts";

/** What one learner did in an experiment. */
export interface LearnerFigures {
  readonly answers: number;
  readonly correct: number;
  /** Time on answers that say how long they took, each counted for ten minutes at the most. */
  readonly minutes: number;
  /** Skills of the track mastered at the end and not at the beginning, less those lost. */
  readonly mastered: number;
  /** Answers to a skill last practised a day or longer ago, and those of them that were right. */
  readonly delayed: number;
  readonly delayedCorrect: number;
  /** Whether they did anything a week or later after they began; null for who began less than a week before the end. */
  readonly returned: boolean | null;
}

const dayMs = 24 * 3_600_000;
const weekMs = 7 * dayMs;
/** A longer answer was left open. */
const answerMsMax = 10 * 60_000;

/** Folds one learner's interactions, from the first there ever was, each after it was folded into the state. */
export function createLearnerFigures(experimentId: string, endAt: number) {
  /** By skill: when it was answered last, milliseconds since 1970. */
  const practised = new Map<string, number>();
  const sums = { answers: 0, correct: 0, minutes: 0, delayed: 0, delayedCorrect: 0 };
  let beganAt: number | null = null;
  let returned = false;

  function countAnswer({ skillIds, correct, durationMs }: EventOf<"InteractionRecorded">["data"], at: number): void {
    const since = Math.min(...skillIds.map((id) => at - (practised.get(id) ?? at)));
    sums.answers += 1;
    sums.correct += correct === true ? 1 : 0;
    sums.minutes += Math.min(durationMs ?? 0, answerMsMax) / 60_000;
    if (skillIds.length === 0 || since < dayMs) return;
    sums.delayed += 1;
    sums.delayedCorrect += correct === true ? 1 : 0;
  }

  return {
    add({ data, recordedAt }: EventOf<"InteractionRecorded">): void {
      const at = Date.parse(data.occurredAt);
      const inside = data.experiment?.experimentId === experimentId;
      if (inside) beganAt ??= Date.parse(recordedAt);
      if (beganAt !== null && Date.parse(recordedAt) - beganAt >= weekMs) returned = true;
      if (data.kind !== "answer") return;
      if (inside) countAnswer(data, at);
      for (const id of data.skillIds) practised.set(id, at);
    },
    done: (masteredBefore: number, masteredAfter: number): LearnerFigures => ({
      ...sums,
      mastered: masteredAfter - masteredBefore,
      returned: beganAt === null || endAt - beganAt < weekMs ? null : returned,
    }),
  };
}

export const countMastered = (state: LearnerState, skillIds: readonly string[], policy: Policy): number =>
  skillIds.filter((id) => {
    const mastery = heldMastery(state, id, policy);
    return mastery !== null && isMastered(mastery, policy, state.latestAt);
  }).length;

interface Measure {
  readonly title: string;
  /** What is better; null where it depends. */
  readonly better: "more" | "less" | null;
  /** null: the learner says nothing about it. */
  of(figures: LearnerFigures): Part | null;
}

const mean = (value: number): Part => ({ part: value, of: 1 });

/** In the order in which they are shown. */
export const measures = {
  successRate: { title: "right answers", better: null, of: ({ correct, answers }) => ({ part: correct, of: answers }) },
  masteryGained: { title: "skills mastered", better: "more", of: ({ mastered }) => mean(mastered) },
  answersPerMastery: {
    title: "answers per skill mastered",
    better: "less",
    of: ({ answers, mastered }) => ({ part: answers, of: mastered }),
  },
  minutesPerMastery: {
    title: "minutes per skill mastered",
    better: "less",
    of: ({ minutes, mastered }) => ({ part: minutes, of: mastered }),
  },
  answers: { title: "answers", better: null, of: ({ answers }) => mean(answers) },
  minutes: { title: "minutes", better: null, of: ({ minutes }) => mean(minutes) },
  retention: {
    title: "right after a day or more",
    better: "more",
    of: ({ delayed, delayedCorrect }) => ({ part: delayedCorrect, of: delayed }),
  },
  returned: {
    title: "came back a week later",
    better: "more",
    of: ({ returned }) => (returned === null ? null : mean(returned ? 1 : 0)),
  },
} as const satisfies Record<string, Measure>;

export type MeasureName = keyof typeof measures;
