import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { ModelReader } from "../ports/model-reader.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { type ItemStats, mergeItemStats } from "../projections/item-stats.ts";
import { countersKey, statsField } from "../projections/rows.ts";
import type { LiveViewReader } from "./live-view.ts";

export interface ItemStatsAnswer extends ItemStats {
  readonly itemId: string;
  /** null for an item that was answered but never published. */
  readonly title: string | null;
  readonly retired: boolean;
  /** Logits, 0 is average, positive is harder: what the published model has learnt; the author's estimate before that. */
  readonly difficulty: number | null;
  readonly difficultySource: "model" | "author" | null;
  readonly modelVersion: number;
}

export interface ItemStatsDeps {
  readonly readModels: ReadModels;
  readonly liveView: LiveViewReader;
  readonly catalogue: CatalogueReader;
  readonly model: ModelReader;
}

/** What answers say of an item; null for an item that nobody published and nobody answered. */
export async function itemStatsOf(deps: ItemStatsDeps, itemId: string): Promise<ItemStatsAnswer | null> {
  const view = await deps.liveView.current();
  const keys = Array.from({ length: view?.partitions ?? 0 }, (_, at) => countersKey(view?.namespace ?? "", at));
  const stats = mergeItemStats(await deps.readModels.getMany(keys, statsField(itemId)));
  const item = deps.catalogue.catalogue.items.get(itemId);
  if (item === undefined && stats.attempts === 0) return null;
  const { model } = deps.model;
  const { weights, version } = deps.model.current();
  const learnt = version > 0 && stats.attempts > 0;
  const difficulty = learnt
    ? short(model.difficulty(weights, { itemId, skillIds: item?.skillIds ?? [], difficulty: item?.difficulty }))
    : (item?.difficulty ?? null);
  return {
    itemId,
    title: item?.title ?? null,
    retired: item?.retired ?? false,
    ...stats,
    successRate: shortOrNull(stats.successRate),
    successInterval:
      stats.successInterval === null ? null : [short(stats.successInterval[0]), short(stats.successInterval[1])],
    hintRate: shortOrNull(stats.hintRate),
    discrimination: shortOrNull(stats.discrimination),
    difficulty,
    difficultySource: learnt ? "model" : difficulty === null ? null : "author",
    modelVersion: version,
  };
}

const short = (value: number): number => Math.round(value * 10_000) / 10_000;
const shortOrNull = (value: number | null): number | null => (value === null ? null : short(value));
