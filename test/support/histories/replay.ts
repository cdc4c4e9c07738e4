import type { LearnerModel } from "../../../src/domain/learner-model/learner-model.ts";
import { idOf } from "../../../src/domain/streams.ts";
import { digestNamespace } from "../../../src/projections/digest.ts";
import { countersKey, namespaceOf, parkedField } from "../../../src/projections/rows.ts";
import { createNextItems } from "../../../src/queries/next-items.ts";
import type { NextRequest } from "../../../src/queries/next-request.ts";
import { createPopularReader, popularItems } from "../../../src/queries/popular.ts";
import { learnerReviews } from "../../../src/queries/reviews.ts";
import { learnerScores } from "../../../src/queries/scores.ts";
import { liveOn, testListSize } from "../live-answers.ts";
import type { OpenedHistory } from "./history-file.ts";

export interface Replayed {
  /** SHA-256 of all rows at the end, hex: says that something changed, to the last bit. */
  readonly rows: string;
  /** What the service answers at some positions, one line of JSON each: says what changed, for people to read. */
  readonly answers: readonly string[];
}

/** Answers are written down in the middle of a history, and at its end. */
const shares = [0.5, 1];
/** Learners whose answers are written down, of those known by then: the first and the last. */
const learnersOf = (ids: readonly string[]): string[] => [...new Set(ids.slice(0, 1).concat(ids.slice(-1)))];

const base: NextRequest = {
  ...{ count: 5, trackId: null, sessionType: "practice", exclude: new Set<string>(), skillIds: null },
  ...{ after: null, cacheKey: null },
};

/** Folds a history by the code that serves, with one model, and asks it questions on the way. */
export async function replay(history: OpenedHistory, model: LearnerModel): Promise<Replayed> {
  const { events } = history;
  const live = await liveOn(history, model);
  const answers: string[] = [];
  try {
    for (const share of shares) {
      const position = Math.floor(events.length * share);
      const time = Date.parse(events[position - 1]?.recordedAt ?? "");
      await live.at(position, time);
      const streams = new Set(events.slice(0, position).map(({ stream }) => stream));
      const learners = [...streams]
        .filter((stream) => stream.startsWith("learner-"))
        .map(idOf)
        .sort();
      const tracks = [...live.catalogue.catalogue.tracks.keys()].sort().slice(0, 2);
      for (const learner of [...learnersOf(learners), "nobody-yet"]) {
        answers.push(...(await answersTo(live, learner, tracks)).map((line) => written(position, line)));
      }
      const popular = await popularItems(createPopularReader(live), live, {
        window: "all",
        trackId: undefined,
        count: 5,
      });
      answers.push(written(position, ["popular", popular.items.map(({ itemId, count }) => [itemId, count])]));
    }
    const namespace = namespaceOf(1, model.name, 1);
    const [counters] = await live.readModels.read([countersKey(namespace, 0)]);
    const parked = [...(counters?.fields.keys() ?? [])].filter((field) => field.startsWith(parkedField("")));
    answers.push(
      written(events.length, ["parked", ...parked.map((field) => field.slice(parkedField("").length)).sort()]),
    );
    return { rows: await digestNamespace(live.readModels, namespace), answers };
  } finally {
    await live.stop();
  }
}

type Live = Awaited<ReturnType<typeof liveOn>>;
type Line = readonly unknown[];

const written = (position: number, line: Line): string => JSON.stringify([position, ...line]);
const short = (p: number): number => Math.round(p * 1_000) / 1_000;

/** The part of an answer that a change of wording leaves alone. */
interface NextJson {
  readonly source: string;
  readonly experiment?: { readonly arm: string } | null;
  readonly stop: { readonly reason: string } | null;
  readonly items: readonly {
    readonly itemId: string;
    readonly p: number;
    readonly propensity: number;
    readonly reason: { readonly code: string };
  }[];
}

async function answersTo(live: Live, learner: string, tracks: readonly string[]): Promise<Line[]> {
  const rows = { ...live, freshnessWaitMs: 0 };
  const nextItems = createNextItems({ ...rows, popular: createPopularReader(live), listSize: testListSize });
  const lines: Line[] = [];
  const ask = async (what: string, request: Partial<NextRequest>): Promise<void> => {
    const [json = ""] = await nextItems.many([learner], { ...base, ...request });
    const { source, experiment, stop, items } = JSON.parse(json) as NextJson;
    const list = items.map(({ itemId, p, propensity, reason }) => [itemId, short(p), short(propensity), reason.code]);
    const asArm = experiment == null ? what : `${what} as ${experiment.arm}`;
    lines.push([learner, asArm, source, stop?.reason ?? null, list]);
  };
  try {
    await ask("practice", {});
    await ask("review", { sessionType: "review", count: 3 });
    for (const trackId of tracks) await ask(`practice in ${trackId}`, { trackId, count: 3 });
  } finally {
    nextItems.close();
  }
  const { skills } = await learnerScores(rows, learner);
  lines.push([learner, "scores", skills.slice(0, 6).map(({ skillId, mastery }) => [skillId, short(mastery)])]);
  const { dueCount, due, nextDueAt } = await learnerReviews(rows, learner, 1);
  lines.push([learner, "reviews", dueCount, due[0]?.dueAt ?? null, nextDueAt]);
  return lines;
}
