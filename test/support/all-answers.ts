import { createCatalogueList } from "../../src/queries/catalogue-list.ts";
import { learnerHistory } from "../../src/queries/history.ts";
import { itemStatsOf } from "../../src/queries/item-stats.ts";
import { createNextItems } from "../../src/queries/next-items.ts";
import type { NextRequest } from "../../src/queries/next-request.ts";
import { createPopularReader, popularItems } from "../../src/queries/popular.ts";
import { learnerReviews } from "../../src/queries/reviews.ts";
import { learnerScores } from "../../src/queries/scores.ts";
import type { Past } from "../../src/queries/time-travel/past.ts";
import { historyAt } from "../../src/queries/time-travel/past-history.ts";
import { nextInPast } from "../../src/queries/time-travel/past-next.ts";
import { type liveOn, testListSize } from "./live-answers.ts";

type Live = Awaited<ReturnType<typeof liveOn>>;

const plain: NextRequest = {
  ...{ count: 6, trackId: null, sessionType: "practice", exclude: new Set<string>(), skillIds: null },
  ...{ after: null, cacheKey: null },
};
const requests: NextRequest[] = [
  plain,
  { ...plain, cacheKey: "practice" },
  { ...plain, sessionType: "review" },
  { ...plain, sessionType: "placement", count: 3 },
  { ...plain, trackId: "by-item", count: 50 },
  { ...plain, skillIds: ["skill-1", "skill-3"], exclude: new Set(["item-1", "item-7"]) },
];

/** All that can be asked of some learners and items: the same words from a live service and from the past. */
export async function answersOf(
  of: Live | Past,
  learnerIds: readonly string[],
  itemIds: readonly string[],
): Promise<string[]> {
  const popular = createPopularReader(of);
  const rows = { ...of, freshnessWaitMs: 0 };
  const said: unknown[] = [];
  for (const learnerId of learnerIds) {
    for (const request of requests) said.push(...(await next(of, learnerId, request)));
    said.push(await learnerScores(rows, learnerId));
    said.push(await learnerReviews(rows, learnerId, 7));
    const asked = { count: 5 };
    said.push(
      "place" in of
        ? await historyAt(of, learnerId, asked)
        : await learnerHistory({ ...of, eventStore: of.store }, learnerId, asked),
    );
  }
  for (const itemId of itemIds) said.push(await itemStatsOf(of, itemId));
  for (const window of ["week", "all"] as const) {
    for (const trackId of [undefined, "by-item"]) {
      // Lists say how far they were counted when they last changed; in the past they are counted to the very place.
      said.push({ ...(await popularItems(popular, of, { window, trackId, count: 30 })), position: 0 });
    }
  }
  const list = createCatalogueList(of.catalogue, ({ items }) => items);
  said.push(
    list({ count: 20, cursor: "item-20", withRetired: false }),
    list({ count: 99, cursor: null, withRetired: true }),
  );
  said.push([...of.catalogue.catalogue.tracks.values()]);
  return said.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
}

async function next(of: Live | Past, learnerId: string, request: NextRequest): Promise<string[]> {
  if ("place" in of) return nextInPast(of, testListSize, [learnerId], request);
  const items = createNextItems({
    ...of,
    popular: createPopularReader(of),
    listSize: testListSize,
    freshnessWaitMs: 0,
  });
  try {
    return await items.many([learnerId], request);
  } finally {
    items.close();
  }
}

/** Names what differs in a few words, where it is known of what it is. */
export const withoutPopularPosition = (text: string): string =>
  text.includes('"source":"popular"')
    ? text.replace(/"position":\d+/, '"position":0').replace(/"selectionId":"\w+"/, "")
    : text;
