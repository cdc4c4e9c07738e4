import { correlationInterval } from "../statistics/intervals.ts";
import type { MeasuredItem } from "./measured-item.ts";

export const itemFlags = [
  "negative_discrimination",
  "too_hard",
  "too_easy",
  "weak_discrimination",
  "misfit",
  "harder_than_predicted",
  "easier_than_predicted",
  "too_slow",
  "many_hints",
  "never_served",
  "never_met",
] as const;
export type ItemFlagCode = (typeof itemFlags)[number];

export interface ItemFlag {
  readonly code: ItemFlagCode;
  /** The figures that it is for, in a sentence. */
  readonly reason: string;
}

/** What a flag is called, and what a teacher or an author may do. */
export const flagWords: Readonly<Record<ItemFlagCode, { readonly name: string; readonly advice: string }>> = {
  negative_discrimination: {
    name: "negative discrimination",
    advice: "Check the key: a wrong solution or a double meaning is likely. Bar it until it is looked at.",
  },
  too_hard: {
    name: "too hard",
    advice: "Read it as a learner: is something asked that was not taught? Simplify it, or split it.",
  },
  too_easy: { name: "too easy", advice: "Fine as a first step or a warm-up. To find out who can, use a harder one." },
  weak_discrimination: {
    name: "says little",
    advice: "Weak and strong learners answer it alike. Look for guessing, or for a catch beside the point.",
  },
  misfit: {
    name: "unpredictable",
    advice: "Answers hang on something beside its skills: wording, a typing trap, a missing skill. Check its skills.",
  },
  harder_than_predicted: {
    name: "harder than predicted",
    advice: "Learners who should manage it do not. Check its wording, its skills and its key.",
  },
  easier_than_predicted: {
    name: "easier than predicted",
    advice: "It may give the answer away, or be copied. Check its skills too.",
  },
  too_slow: {
    name: "slow",
    advice: "It takes far longer than others of its skill: shorten it, or split it into steps.",
  },
  many_hints: { name: "many hints", advice: "Most need a hint: put it later, or an easier one before it." },
  never_served: {
    name: "never served",
    advice: "It was never offered: is it barred, of a kind that is not allowed, or behind a skill nobody opens?",
  },
  never_met: {
    name: "never met",
    advice: "Nobody has worked on it yet: was it offered, and passed over? Is its skill open to anyone?",
  },
};

/** Facility: Moodle's and most textbooks' bounds; the interval keeps chance from flagging. Mean squares: Wright, Linacre 1994. */
export const flagThresholds = {
  answersMin: 10,
  tooEasy: 0.95,
  tooEasyLow: 0.8,
  tooHard: 0.25,
  tooHardHigh: 0.5,
  /** Ebel 1979 calls items below .2 poor: flagged where the whole interval is. */
  weakDiscrimination: 0.2,
  /** Standard errors that a correlation must be beyond its bound: 99.5 %, since many items are looked at. */
  correlationBeyond: 2.58,
  meanSquare: 1.3,
  /** Standard deviations; of 1,000 sound items about one is beyond by chance. */
  beyond: 3,
  bias: 0.1,
  /** Times the median of its skill. */
  slow: 3,
  /** And slower than this anyway. */
  slowMs: 10_000,
  hintShare: 0.5,
} as const;

/** Median time of the items of a skill; of all under the empty name. */
export function usualTimes(
  items: readonly Pick<MeasuredItem, "medianMs" | "skillIds" | "answers">[],
): ReadonlyMap<string, number> {
  const times = new Map<string, number[]>();
  for (const { medianMs, skillIds, answers } of items) {
    if (medianMs === null || answers < flagThresholds.answersMin) continue;
    for (const key of ["", ...skillIds]) {
      const list = times.get(key);
      if (list === undefined) times.set(key, [medianMs]);
      else list.push(medianMs);
    }
  }
  const usual = new Map<string, number>();
  for (const [key, list] of times)
    if (list.length >= 3) usual.set(key, list.sort((a, b) => a - b)[list.length >> 1] ?? 0);
  return usual;
}

export function flagsOf(item: MeasuredItem, times: ReadonlyMap<string, number>): ItemFlag[] {
  if (item.interactions === 0) return [ofNothing(item)];
  return [...ofFacility(item), ...ofDiscrimination(item), ...ofFit(item), ...ofEffort(item, times)];
}

function ofNothing({ served }: MeasuredItem): ItemFlag {
  if (served === 0) return { code: "never_served", reason: "in no list that was given out" };
  const lists = served === null ? "" : `, though it was in ${served} ${served === 1 ? "list" : "lists"}`;
  return { code: "never_met", reason: `nobody has worked on it${lists}` };
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

function ofFacility({ facility }: MeasuredItem): ItemFlag[] {
  const { answersMin, tooEasy, tooEasyLow, tooHard, tooHardHigh } = flagThresholds;
  const { estimate, low, high, n } = facility;
  if (n < answersMin) return [];
  const reason = `${percent(estimate)} of ${n} first answers are right`;
  if (estimate >= tooEasy && low >= tooEasyLow) return [{ code: "too_easy", reason }];
  return estimate <= tooHard && high <= tooHardHigh ? [{ code: "too_hard", reason }] : [];
}

function ofDiscrimination({ discrimination }: MeasuredItem): ItemFlag[] {
  if (discrimination === null || discrimination.n < flagThresholds.answersMin) return [];
  const { estimate, n } = discrimination;
  const { weakDiscrimination, correlationBeyond } = flagThresholds;
  const high = correlationInterval(estimate, n, correlationBeyond).high;
  const reason = `right answers go with the level on other items at r = ${estimate.toFixed(2)} (${n} learners)`;
  if (high < 0) return [{ code: "negative_discrimination", reason }];
  return high < weakDiscrimination ? [{ code: "weak_discrimination", reason }] : [];
}

function ofFit({ fit, answers }: MeasuredItem): ItemFlag[] {
  const { answersMin, meanSquare, beyond, bias } = flagThresholds;
  if (fit === null || answers < answersMin) return [];
  const flags: ItemFlag[] = [];
  const infit = fit.infit >= meanSquare && fit.infitZ >= beyond;
  if (infit || (fit.outfit >= meanSquare && fit.outfitZ >= beyond)) {
    const reason = `answers vary ${percent((infit ? fit.infit : fit.outfit) - 1)} more than predicted`;
    flags.push({
      code: "misfit",
      reason: `${reason} (infit ${fit.infit.toFixed(2)}, outfit ${fit.outfit.toFixed(2)})`,
    });
  }
  if (Math.abs(fit.bias) >= bias && Math.abs(fit.biasZ) >= beyond) {
    const code = fit.bias < 0 ? "harder_than_predicted" : "easier_than_predicted";
    flags.push({
      code,
      reason: `${percent(Math.abs(fit.bias))} ${fit.bias < 0 ? "fewer" : "more"} right than predicted`,
    });
  }
  return flags;
}

function ofEffort(
  { medianMs, hintShare, answers, skillIds }: MeasuredItem,
  times: ReadonlyMap<string, number>,
): ItemFlag[] {
  const { answersMin, slow, slowMs, hintShare: many } = flagThresholds;
  if (answers < answersMin) return [];
  const flags: ItemFlag[] = [];
  const usual = times.get(skillIds[0] ?? "") ?? times.get("");
  if (medianMs !== null && usual !== undefined && medianMs >= slowMs && medianMs >= slow * usual) {
    flags.push({
      code: "too_slow",
      reason: `takes ${seconds(medianMs)}, others of its skill ${seconds(usual)} (medians)`,
    });
  }
  if (hintShare !== null && hintShare >= many)
    flags.push({ code: "many_hints", reason: `${percent(hintShare)} of answers with a hint` });
  return flags;
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
