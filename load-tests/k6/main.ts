import { sleep } from "k6";
import exec from "k6/execution";
import { Counter, Rate } from "k6/metrics";
import { get, isOk, isShed, post, type Reply, remove } from "./api.ts";
import { type Asked, checkFresh, checkList, checkLocks, hold, type NextList, type Scores } from "./content.ts";
import { abilityOf, type CourseItem, hashed, isCorrect, learnerName } from "./latent.ts";
import { batchSize, profiles, thresholdsOf } from "./profiles.ts";
import { settings } from "./settings.ts";

/** The program that k6 runs, for every scenario: profiles.ts says how often each of the functions below is called. */

const { scenario, load, items, trackId, checkShare } = settings;
if (scenario === "personas") throw new Error("personas are Locust's");

export const options = {
  scenarios: profiles[scenario].executors(load),
  thresholds: thresholdsOf(scenario, load),
  summaryTrendStats: ["count", "min", "avg", "med", "p(90)", "p(95)", "p(99)", "p(99.9)", "max"],
};

const accepted = new Counter("interactions_accepted");
/** Lists that were ready, and not chosen when asked for. */
const readyMade = new Rate("ready_made_lists");
const byId = new Map(items.map((item) => [item.itemId, item]));
const count = 10;

const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;

/** Each user in turn: at the rate of the profile, one is back when its time to think is over. */
const turn = (): number => exec.scenario.iterationInTest % load.users;

function jsonOf<T>(reply: Reply): T | null {
  if (!isOk(reply)) {
    if (isShed(reply))
      hold("a refusal says when to come back", reply.headers["Retry-After"] !== undefined, () => reply);
    return null;
  }
  try {
    return JSON.parse(reply.body) as T;
  } catch {
    hold("answers are JSON", false, () => reply.body.slice(0, 200));
    return null;
  }
}

interface Wanted {
  readonly name: string;
  readonly after?: string;
  readonly exclude?: readonly string[];
  readonly track?: string;
}

function askNext(learnerId: string, { name, after, exclude = [], track }: Wanted, looked: boolean): NextList | null {
  const query = [
    `count=${count}`,
    ...(after === undefined ? [] : [`after=${after}`]),
    ...(exclude.length === 0 ? [] : [`exclude=${exclude.join(",")}`]),
    ...(track === undefined ? [] : [`track=${track}`]),
  ];
  const list = jsonOf<NextList>(get(name, `/v1/learners/${learnerId}/next?${query.join("&")}`));
  if (list === null) return null;
  if (list.computed !== undefined) readyMade.add(list.computed === "precomputed");
  const asked: Asked = { learnerId, count, exclude, ...(track === undefined ? {} : { track }) };
  if (looked) checkList(list, asked);
  return list;
}

interface Posted {
  readonly accepted: number;
  readonly tokens: Readonly<Record<string, string>>;
}

function answerOf(index: number, learnerId: string, item: CourseItem, list?: NextList) {
  const correct = isCorrect(abilityOf(index), item, Math.random());
  return {
    ...{ learnerId, itemId: item.itemId, kind: "answer", correct },
    durationMs: 2_000 + Math.floor(Math.random() * 20_000),
    ...(list?.selectionId === undefined ? {} : { selectionId: list.selectionId }),
  };
}

/** What is next? The answer. And what is next now? */
export function step(): void {
  const index = turn();
  const learnerId = learnerName(index);
  // Drawn by number, so that the same steps are looked at whenever the test is run.
  const draw = (of: number): number => hashed(7 * exec.scenario.iterationInTest + of);
  const looked = draw(0) < checkShare;
  // One of five keeps to a track.
  const track = index % 5 === 0 ? { track: trackId } : {};
  const list = askNext(learnerId, { name: "next", ...track }, looked);
  const item = byId.get(list?.items[0]?.itemId ?? "");
  if (list === null || item === undefined) return;
  const posted = jsonOf<Posted>(
    post("answer", "/v1/interactions", {
      ...answerOf(index, learnerId, item, list),
      ...(list.trackId ? { trackId: list.trackId } : {}),
    }),
  );
  const after = posted?.tokens[learnerId];
  if (posted === null || after === undefined) return;
  accepted.add(posted.accepted);
  // One of four would rather not have two of those it was just offered.
  const exclude = draw(1) < 0.25 ? list.items.slice(1, 3).map(({ itemId }) => itemId) : [];
  const next = askNext(learnerId, { name: "next_after", after, exclude, ...track }, looked);
  if (next === null) return;
  checkFresh(next, list, item.itemId);
  if (looked && draw(2) < 0.1) {
    const scores = jsonOf<Scores>(get("scores", `/v1/learners/${learnerId}/scores`));
    if (scores !== null) checkLocks(next, scores);
  }
}

/** Answers of other learners, as a client sends them that was offline. */
export function flood(): void {
  const batch = Array.from({ length: batchSize }, () => {
    const index = Math.floor(Math.random() * load.users);
    return answerOf(index, `flood-${learnerName(index)}`, pick(items));
  });
  const reply = jsonOf<Posted & { duplicates: number; rejected: number }>(post("batch", "/v1/interactions", batch));
  if (reply === null) return;
  accepted.add(reply.accepted);
  hold("every interaction of a batch is accepted", reply.accepted === batchSize && reply.rejected === 0, () => ({
    ...{ accepted: reply.accepted, duplicates: reply.duplicates, rejected: reply.rejected },
  }));
}

/** A learner, or whoever teaches it, looks at how it goes. */
export function look(): void {
  const learnerId = learnerName(turn());
  switch (exec.scenario.iterationInTest % 4) {
    case 0:
      return void jsonOf(get("scores", `/v1/learners/${learnerId}/scores`));
    case 1:
      return void jsonOf(get("reviews", `/v1/learners/${learnerId}/reviews`));
    case 2:
      return void jsonOf(get("popular", "/v1/popular?window=week"));
    default:
      return void jsonOf(get("history", `/v1/learners/${learnerId}/history?count=20`));
  }
}

/** The lists of a class of thirty in one request. */
export function classList(): void {
  const first = turn();
  const learnerIds = Array.from({ length: Math.min(30, load.users) }, (_, k) => learnerName((first + k) % load.users));
  const reply = jsonOf<{ answers: NextList[] }>(post("class", "/v1/next", { learnerIds, count }, { query: true }));
  if (reply === null) return;
  hold("a list for each of the class", reply.answers.length === learnerIds.length, () => reply.answers.length);
  for (const [k, learnerId] of learnerIds.entries()) {
    const list = reply.answers[k];
    if (list !== undefined) checkList(list, { learnerId, count });
  }
}

/** Publishes an item, thinks better of it, and makes sure that nobody is given it any more. */
export function author(): void {
  const itemId = `passing-${exec.vu.idInTest}-${exec.scenario.iterationInTest}`;
  const like = pick(items);
  const { skillIds, difficulty } = like;
  if (!isOk(post("publish", "/v1/items", { itemId, title: "For a moment", skillIds, difficulty }))) return;
  sleep(1);
  if (!isOk(remove("retire", `/v1/items/${itemId}`))) return;
  // The catalogue of every process follows the log within this time.
  sleep(2);
  const learnerId = learnerName(turn());
  const list = jsonOf<NextList>(get("next", `/v1/learners/${learnerId}/next?count=50`));
  if (list === null) return;
  const served = list.items.some((item) => item.itemId === itemId);
  hold("an item retired two seconds ago is gone", !served, () => ({ itemId, list }));
}

/** Reads a piece of the log, and how an item does. */
export function analyst(): void {
  const lines = get("events", "/v1/events?type=InteractionRecorded&limit=200");
  if (isOk(lines)) {
    const events = lines.body.split("\n").filter((line) => line !== "");
    hold("events come in order", inOrder(events.map((line) => JSON.parse(line).position)), () => events.length);
  }
  jsonOf(get("item_stats", `/v1/items/${pick(items).itemId}/stats`));
}

const inOrder = (positions: readonly number[]): boolean =>
  positions.every((position, k) => k === 0 || position > (positions[k - 1] ?? 0));

export function handleSummary(data: unknown): Record<string, string> {
  return { [settings.summary]: JSON.stringify(data) };
}
