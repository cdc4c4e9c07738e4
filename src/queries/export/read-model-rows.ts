import type { CatalogueReader } from "../../ports/catalogue-reader.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ModelReader } from "../../ports/model-reader.ts";
import type { ReadModels } from "../../ports/read-models.ts";
import { decodeNext } from "../../projections/next-items.ts";
import {
  decodeLearnerState,
  learnerKey,
  learnerOfKey,
  learnerPrefix,
  nextField,
  popularWindows,
  stateField,
} from "../../projections/rows.ts";
import { itemStatsOf } from "../item-stats.ts";
import { createLiveViewReader } from "../live-view.ts";
import { createPopularReader, popularItems } from "../popular.ts";
import { scoresOf } from "../scores.ts";
import type { Pseudonyms } from "./pseudonyms.ts";
import type { ItemRow, NextRow, PopularRow, ScoreRow } from "./tables.ts";

/** What queries stand on, caught up with the log. */
export interface Serving {
  readonly readModels: ReadModels;
  readonly catalogue: CatalogueReader;
  readonly model: ModelReader;
}

/** Where rows begin, and how many things (learners, items, scopes) are read at a time. */
export interface Pages {
  /** {@link RowsPage.upTo} of a page of before; null: from the first. */
  readonly after: string | null;
  readonly pageSize: number;
}

/** Some rows, and how many things of `total` they make it. Pages are in the order of what is shown of the things. */
export interface RowsPage<Row> {
  readonly rows: readonly Row[];
  /** The last thing whose rows these are. */
  readonly upTo: string;
  readonly done: number;
  readonly total: number;
}

/** Things after the one where it begins, page by page: `sorted` by the key that `keyOf` gives. */
function* pagesOf<Thing>(sorted: readonly Thing[], keyOf: (thing: Thing) => string, { after, pageSize }: Pages) {
  const total = sorted.length;
  const first = after === null ? 0 : sorted.findIndex((thing) => keyOf(thing) > after);
  for (let at = first < 0 ? total : first; at < total; at += pageSize) {
    const things = sorted.slice(at, at + pageSize);
    yield { things, upTo: keyOf(things.at(-1) as Thing), done: at + things.length, total };
  }
}

export interface WhichLearners {
  readonly pseudonyms: Pseudonyms;
  /** By their plain ids; undefined: all. */
  readonly only: readonly string[] | undefined;
}

/** Learners in the order of what is shown of them, so that the order tells nothing more. */
async function* learnerPages(
  { readModels }: Serving,
  field: string,
  { pseudonyms, only }: WhichLearners,
  pages: Pages,
): AsyncGenerator<Omit<RowsPage<never>, "rows"> & { learners: { learnerId: string; bytes: Buffer }[] }> {
  const view = await createLiveViewReader(readModels, { now: Date.now }).current();
  if (view === null) return;
  const wanted = only === undefined ? null : new Set(only);
  const ids: string[] = [];
  for await (const keys of readModels.keys(learnerPrefix(view.namespace))) {
    for (const key of keys) {
      const id = learnerOfKey(key);
      if (id !== null && (wanted === null || wanted.has(id))) ids.push(id);
    }
  }
  const shown = ids.map((id) => ({ id, as: pseudonyms.of("learner", id) }));
  shown.sort((a, b) => (a.as < b.as ? -1 : 1));
  for (const { things, ...progress } of pagesOf(shown, ({ as }) => as, pages)) {
    const found = await readModels.getMany(
      things.map(({ id }) => learnerKey(view.namespace, id)),
      field,
    );
    const learners = things.flatMap(({ as }, n) => {
      const bytes = found[n];
      return bytes === null || bytes === undefined ? [] : [{ learnerId: as, bytes }];
    });
    yield { learners, ...progress };
  }
}

export async function* scoreRows(
  serving: Serving,
  which: WhichLearners,
  pages: Pages,
): AsyncGenerator<RowsPage<ScoreRow>> {
  for await (const { learners, ...progress } of learnerPages(serving, stateField, which, pages)) {
    const rows = learners.flatMap(({ learnerId, bytes }) => {
      const state = decodeLearnerState(bytes, serving.model.model);
      if (state === null) return [];
      const { revision, position } = state;
      const { model, modelVersion, ability, skills } = scoresOf(serving, state);
      return skills.map(({ skillId, mastery, sd, answers }) => ({
        ...{ learnerId, revision, position, model, modelVersion, ability, skillId },
        skillTitle: serving.catalogue.catalogue.skills.get(skillId)?.title ?? null,
        ...{ mastery, masterySd: sd, answers },
      }));
    });
    yield { rows, ...progress };
  }
}

export async function* nextRows(
  serving: Serving,
  which: WhichLearners,
  pages: Pages,
): AsyncGenerator<RowsPage<NextRow>> {
  for await (const { learners, ...progress } of learnerPages(serving, nextField("practice"), which, pages)) {
    const rows = learners.flatMap(({ learnerId, bytes }) => {
      const { items, at, holdsUntil, arm, ...list } = decodeNext(bytes);
      const { revision, position, sessionType, trackId, policyVersion, model, modelVersion } = list;
      return items.map(({ itemId, p, score, propensity, reason }, n) => ({
        ...{ learnerId, revision, position, madeAt: new Date(at).toISOString() },
        holdsUntil: holdsUntil === null ? null : new Date(holdsUntil).toISOString(),
        ...{ sessionType, trackId, policyVersion, experimentId: arm?.experimentId ?? null, arm: arm?.arm ?? null },
        ...{ model, modelVersion, place: n + 1, itemId, p, score, propensity, reason: reason.code },
        reasonSkillId: "skillId" in reason ? reason.skillId : null,
        rules: [...(reason.rules ?? [])],
      }));
    });
    yield { rows, ...progress };
  }
}

export async function* itemRows(serving: Serving, clock: Clock, pages: Pages): AsyncGenerator<RowsPage<ItemRow>> {
  const { items } = serving.catalogue.catalogue;
  const deps = { ...serving, liveView: createLiveViewReader(serving.readModels, clock) };
  const ids = [...items.keys()].sort();
  for (const { things, ...progress } of pagesOf(ids, (id) => id, pages)) {
    const rows = await Promise.all(
      things.map(async (itemId): Promise<ItemRow[]> => {
        const stats = await itemStatsOf(deps, itemId);
        const item = items.get(itemId);
        if (item === undefined || stats === null) return [];
        const { attempts, learners, successRate, successInterval, medianDurationMs, hintRate, discrimination } = stats;
        return [
          {
            ...{ itemId, title: item.title, kind: item.kind, skillIds: [...item.skillIds], tags: [...item.tags] },
            ...{
              contentUri: item.contentUri ?? null,
              retired: item.retired,
              authorDifficulty: item.difficulty ?? null,
            },
            ...{ difficulty: stats.difficulty, difficultySource: stats.difficultySource },
            ...{ modelVersion: stats.modelVersion, attempts, learners, successRate },
            ...{ successLow: successInterval?.[0] ?? null, successHigh: successInterval?.[1] ?? null },
            ...{ medianDurationMs, hintRate, discrimination },
          },
        ];
      }),
    );
    yield { rows: rows.flat(), ...progress };
  }
}

export async function* popularRows(serving: Serving, clock: Clock, pages: Pages): AsyncGenerator<RowsPage<PopularRow>> {
  const { tracks, skills } = serving.catalogue.catalogue;
  const liveView = createLiveViewReader(serving.readModels, clock);
  const reader = createPopularReader({ readModels: serving.readModels, liveView, clock });
  const popularOf = async (scope: PopularRow["scope"], scopeId: string | null): Promise<PopularRow[]> => {
    const of = {
      ...(scope === "track" && { trackId: scopeId ?? "" }),
      ...(scope === "skill" && { skillId: scopeId ?? "" }),
    };
    const rows: PopularRow[] = [];
    for (const window of popularWindows) {
      const list = await popularItems(
        reader,
        { catalogue: serving.catalogue, clock },
        { window, ...of, count: listMax },
      );
      for (const [n, { itemId, learners, count }] of list.items.entries()) {
        rows.push({ scope, scopeId, window, position: list.position, place: n + 1, itemId, learners, count });
      }
    }
    return rows;
  };
  const scopes: readonly (readonly [PopularRow["scope"], string | null])[] = [
    ["all", null],
    ...[...tracks.keys()].sort().map((id) => ["track", id] as const),
    ...[...skills.keys()].sort().map((id) => ["skill", id] as const),
  ];
  const keyOf = ([scope, id]: (typeof scopes)[number]): string => `${scopeOrder.indexOf(scope)} ${id ?? ""}`;
  for (const { things, ...progress } of pagesOf(scopes, keyOf, pages)) {
    const rows: PopularRow[] = [];
    for (const [scope, scopeId] of things) rows.push(...(await popularOf(scope, scopeId)));
    yield { rows, ...progress };
  }
}

const scopeOrder: readonly PopularRow["scope"][] = ["all", "track", "skill"];
/** As many as a popular list holds. */
const listMax: number = 100;
