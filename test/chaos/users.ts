import { setTimeout as sleep } from "node:timers/promises";
import type { SeededRandom } from "../support/random.ts";
import { ask } from "./http.ts";

/** A learner's question "what next?", which may be answered stale, asked as through a balancer. */
export interface SeenRead {
  readonly at: number;
  /** A good answer came within the deadline, from the first process or, after one retry, from another. */
  readonly ok: boolean;
  /** The same without that retry. */
  readonly firstOk: boolean;
  /** Until the answer; the deadline where there was none. */
  readonly ms: number;
  /** personal, stale or popular; null without an answer. */
  readonly source: string | null;
  /** What the first process said instead of an answer: a status, or nothing in time. */
  readonly failure: string | null;
}

/** An answer of a learner, sent again with the same id until it was accepted. */
export interface SeenPost {
  readonly id: string;
  readonly learnerId: string;
  readonly at: number;
  readonly acceptedAt: number;
  readonly tries: number;
}

export interface Users {
  readonly reads: readonly SeenRead[];
  readonly posts: readonly SeenPost[];
  /** What was refused for good, which no post of theirs deserves: status and body. */
  readonly refusals: readonly string[];
  /** Since when the oldest post waits that is not accepted yet; null where none does. */
  waitingSince(): number | null;
  /** How long this process itself stood still at the most since the last call: nobody's fault but the machine's. */
  stallMs(): number;
  /** No new requests; resolves when all that was posted is accepted. Throws where that takes too long. */
  stop(): Promise<void>;
}

export interface UsersOptions {
  readonly urls: readonly string[];
  readonly key: string;
  readonly random: SeededRandom;
  /** Ids of what they post begin with it. */
  readonly prefix: string;
  readonly learnerIds: readonly string[];
  readonly itemIds: readonly string[];
  readonly readsPerSecond: number;
  readonly postsPerSecond: number;
}

/** What a client waits in all, and when it asks another process instead: at once after a refusal. */
export const readDeadlineMs = 1_000;
export const patienceMs = 300;
const postDeadlineMs = 3_000;
const postPauseMs = 400;
const allAcceptedWithinMs = 120_000;

const good = (answered: { readonly status: number } | null): boolean => answered !== null && answered.status === 200;
const sourceOf = (body: string): string | null => /"source":"(\w+)"/.exec(body)?.[1] ?? null;

const codeOf = (body: string): string => /"code":"(\w+)"/.exec(body)?.[1] ?? "";

/** Learners who ask and answer at a steady rate, whatever comes back, until they are stopped. */
export function startUsers(options: UsersOptions): Users {
  const { urls, key, random, learnerIds, itemIds } = options;
  const reads: SeenRead[] = [];
  const posts: SeenPost[] = [];
  const refusals: string[] = [];
  const waiting = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  let failure: Error | null = null;
  const urlOf = (n: number): string => urls[n % urls.length] ?? "";

  async function read(n: number): Promise<void> {
    const at = performance.now();
    const path = `/v1/learners/${random.pick(learnerIds)}/next?count=3`;
    const left = (): number => Math.max(1, readDeadlineMs - (performance.now() - at));
    const first = ask(`${urlOf(n)}${path}`, readDeadlineMs, { key });
    const soon = await Promise.race([first, sleep(patienceMs, undefined, { ref: false })]);
    const second = soon !== undefined && good(soon) ? null : ask(`${urlOf(n + 1)}${path}`, left(), { key });
    const answered = await (second === null ? first : firstGood([first, second]));
    const tookMs = performance.now() - at;
    const ok = good(answered) && tookMs <= readDeadlineMs;
    const ms = ok ? tookMs : readDeadlineMs;
    const atFirst = await first;
    const failure = good(atFirst) ? null : atFirst === null ? "no answer" : `${atFirst.status} ${codeOf(atFirst.body)}`;
    const source = answered === null ? null : sourceOf(answered.body);
    reads.push({ at, ok, firstOk: failure === null, ms, source, failure });
  }

  async function post(n: number): Promise<void> {
    const id = `${options.prefix}-${n}`;
    const learnerId = random.pick(learnerIds);
    const said = { id, learnerId, itemId: random.pick(itemIds), kind: "answer", correct: random.chance(0.7) };
    // Apps say when it was, or leave that to the server.
    const answer = n % 2 === 0 ? { ...said, occurredAt: new Date().toISOString() } : said;
    const at = performance.now();
    waiting.set(id, at);
    for (let tries = 1; ; tries += 1) {
      const url = `${urlOf(n + tries)}/v1/interactions`;
      const answered = await ask(url, postDeadlineMs, { key, body: JSON.stringify(answer) });
      if (answered !== null && answered.status < 300) {
        posts.push({ id, learnerId, at, acceptedAt: performance.now(), tries });
        return void waiting.delete(id);
      }
      if (answered !== null && answered.status < 500 && answered.status !== 429) {
        refusals.push(`${answered.status} ${answered.body}`);
        return void waiting.delete(id);
      }
      if (performance.now() - at > allAcceptedWithinMs) throw new Error(`${id} was not accepted: ${answered?.body}`);
      await sleep(postPauseMs);
    }
  }

  function begin(work: Promise<void>): void {
    const one = work.catch((error: unknown) => {
      failure ??= error instanceof Error ? error : new Error(String(error));
    });
    underWay.add(one);
    void one.finally(() => underWay.delete(one));
  }

  const begunAt = performance.now();
  let [readsSent, postsSent, longestStallMs, tickedAt] = [0, 0, 0, begunAt];
  const timer = setInterval(() => {
    const now = performance.now();
    longestStallMs = Math.max(longestStallMs, now - tickedAt - tickMs);
    tickedAt = now;
    // After a stall those that are due are sent all the same: users do not wait for this process.
    const due = (perSecond: number): number => ((now - begunAt) / 1000) * perSecond;
    for (; readsSent < due(options.readsPerSecond); readsSent += 1) begin(read(readsSent));
    for (; postsSent < due(options.postsPerSecond); postsSent += 1) begin(post(postsSent));
  }, tickMs);

  return {
    ...{ reads, posts, refusals },
    waitingSince: () => waiting.values().next().value ?? null,
    stallMs() {
      const stall = longestStallMs;
      longestStallMs = 0;
      return stall;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      if (failure !== null) throw failure;
    },
  };
}

const tickMs = 5;

/** The first good answer; where there is none, any. */
async function firstGood<T extends { readonly status: number } | null>(both: readonly Promise<T>[]): Promise<T | null> {
  const one = await Promise.any(
    both.map((each) => each.then((found) => (good(found) ? found : Promise.reject(found)))),
  ).catch(() => null);
  return one ?? (await Promise.all(both)).find((found) => found !== null) ?? null;
}
