import { countAnswer, type ItemSums, itemStats, newItemSums } from "../../projections/item-stats.ts";
import { correlationInterval, wilsonInterval } from "../statistics/intervals.ts";
import type { Collector, ReportContext } from "./fold-log.ts";
import { addFit, type FitSums, itemFit, newFitSums } from "./item-fit.ts";
import { flagsOf, type ItemFlag, usualTimes } from "./item-flags.ts";
import { LearnerRows } from "./learner-rows.ts";
import type { MeasuredItem } from "./measured-item.ts";
import { fitRasch } from "./rasch.ts";
import type { Observation } from "./report-learner.ts";

export interface ItemAnalysis extends MeasuredItem {
  readonly flags: readonly ItemFlag[];
}

export interface Items {
  /** Those with flags first, then by answers. */
  readonly items: readonly ItemAnalysis[];
  /** Share of the learners that discrimination and observed difficulty are of. */
  readonly fittedShare: number;
}

interface Tally {
  readonly number: number;
  readonly sums: ItemSums;
  readonly fit: FitSums;
  interactions: number;
  first: number;
  firstCorrect: number;
  /** As of its last interaction. */
  skillIds: readonly string[];
}

export interface ItemsCollector extends Collector {
  result(context: ReportContext): Items;
}

/** About 2 kilobytes for each item that was met. */
export function collectItems(): ItemsCollector {
  const tallies = new Map<string, Tally>();
  const shown = new Map<string, number>();
  const rows = new LearnerRows();

  function tallyOf(itemId: string): Tally {
    const known = tallies.get(itemId);
    if (known !== undefined) return known;
    const counts = { interactions: 0, first: 0, firstCorrect: 0, skillIds: [] };
    const tally = { number: tallies.size, sums: newItemSums(), fit: newFitSums(), ...counts };
    tallies.set(itemId, tally);
    return tally;
  }

  function add({ learner, data, answer }: Observation): void {
    const tally = tallyOf(data.itemId);
    tally.interactions += 1;
    tally.skillIds = data.skillIds;
    if (answer === null) return;
    countAnswer(tally.sums, { ...answer, ability: 0 });
    addFit(tally.fit, answer.p, answer.correct);
    if (!answer.first) return;
    tally.first += 1;
    tally.firstCorrect += answer.correct ? 1 : 0;
    rows.add(learner.number, learner.hash, tally.number, answer.correct ? 1 : 0);
  }

  function served(itemIds: readonly string[]): void {
    for (const itemId of itemIds) shown.set(itemId, (shown.get(itemId) ?? 0) + 1);
  }

  function result(context: ReportContext): Items {
    const { learners, keys, values } = rows.columns();
    const responses = { learners, items: keys, correct: Uint8Array.from(values) };
    const rasch = fitRasch(responses, tallies.size, context.learners.length);
    const { input, bank } = context;
    const unmet = bank.allItems
      .filter(
        ({ itemId, skillIds }) =>
          !tallies.has(itemId) && (input.skillId === undefined || skillIds.includes(input.skillId)),
      )
      .map(({ itemId }) => [itemId, null] as const);
    const analysed = [...[...tallies], ...unmet].map(([itemId, tally]) =>
      analyse(itemId, tally, tally === null ? undefined : rasch.items[tally.number], context),
    );
    const times = usualTimes(analysed);
    const items = analysed.map((measured) => {
      const item = { ...measured, served: shown.size === 0 ? null : (shown.get(measured.itemId) ?? 0) };
      return { ...item, flags: flagsOf(item, times) };
    });
    items.sort((a, b) => b.flags.length - a.flags.length || b.answers - a.answers || (a.itemId < b.itemId ? -1 : 1));
    return { items, fittedShare: rows.share };
  }

  return { add, served, result };
}

function analyse(
  itemId: string,
  tally: Tally | null,
  observed: ReturnType<typeof fitRasch>["items"][number] | undefined,
  { catalogue, model, weights }: ReportContext,
): Omit<MeasuredItem, "served"> {
  const item = catalogue.items.get(itemId);
  const skillIds = item?.skillIds ?? tally?.skillIds ?? [];
  const stats = itemStats(tally?.sums ?? newItemSums());
  const known = observed !== undefined && observed.answers > 0 ? observed : null;
  return {
    itemId,
    title: item?.title ?? itemId,
    skillIds,
    answers: stats.attempts,
    interactions: tally?.interactions ?? 0,
    learners: stats.learners,
    facility: wilsonInterval(tally?.firstCorrect ?? 0, tally?.first ?? 0),
    modelDifficulty: model.difficulty(weights, { itemId, skillIds, difficulty: item?.difficulty }),
    difficulty: known?.difficulty ?? null,
    difficultyError: known?.difficultyError ?? null,
    authorDifficulty: item?.difficulty ?? null,
    discrimination:
      known === null || known.discrimination === null ? null : correlationInterval(known.discrimination, known.answers),
    fit: itemFit(tally?.fit ?? newFitSums()),
    medianMs: stats.medianDurationMs,
    hintShare: stats.hintRate,
  };
}
