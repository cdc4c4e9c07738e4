import type { BenchCase, Prepared } from "./case.ts";
import { singleShots } from "./case-ingest.ts";
import { answer } from "./course.ts";
import { loadSide } from "./load-side.ts";
import { type App, nextPath } from "./proximal-app.ts";
import { quantile } from "./statistics.ts";

/** Learners who answer and ask, one pair after the other, at a time: so that a round has some hundred pairs. */
const chains = 4;

/**
 * From sending an answer to holding a next list that includes it, while others post at half the rate at
 * which one process takes and folds single POSTs: POST, then GET with `after=` the token of the reply, beside the load.
 */
export const visible: BenchCase = {
  name: "visible",
  title: "answer to visible, p99 at half the maximum rate",
  limit: null,
  unit: "ms",
  better: "lower",
  target: { below: 100 },
  async prepare(setting): Promise<Prepared> {
    const { learners, seconds } = setting;
    const [app, generator] = [await setting.app(), setting.generator()];
    const shots = singleShots(learners);
    const order = { key: app.key, connections: 256, shots };
    const flood = loadSide(generator, { url: app.url, pids: [app.server.pid], order });
    await flood({ number: -1, seconds: Math.min(3, seconds) });
    await app.caughtUp();
    const startedAt = performance.now();
    const { figure: taken } = await flood({ number: 0, seconds });
    await app.caughtUp();
    // What a flood leaves to be folded is of its time: beyond the rate that is folded no answer stays visible in time.
    const most = (taken * seconds) / ((performance.now() - startedAt) / 1000);
    const rate = Math.floor(most / 2);
    let [late, probes] = [0, 0];
    const parts: { readonly posted: number; readonly seen: number }[] = [];
    return {
      async ours({ number, seconds }) {
        const load = { url: app.url, key: app.key, connections: 64, seconds: seconds + 1, rate, shots };
        const loading = generator.load(load);
        const stopped = new AbortController();
        const over = loading.finally(() => stopped.abort());
        const probing = Array.from({ length: chains }, (_, chain) =>
          probe(app, { learners, chain, number }, stopped.signal),
        );
        const waits = (await Promise.all([over, ...probing])).slice(1).flat() as Wait[];
        const { requests, failed, seconds: took } = await loading;
        if (failed > 0) throw new Error(`${failed} posts of the load failed: nothing to compare`);
        if (number >= 0) {
          late += waits.filter((wait) => !wait.includes).length;
          probes += waits.length;
        }
        const ms = waits.map((wait) => wait.ms);
        const posted = waits.map(({ postedMs }) => postedMs);
        const seen = waits.map(({ ms, postedMs }) => ms - postedMs);
        const part = { posted: quantile(posted, 0.99), seen: quantile(seen, 0.99) };
        if (number >= 0) parts.push(part);
        const context = {
          ...{ latency_p50_ms: quantile(ms, 0.5), posted_p50_ms: quantile(posted, 0.5), posts_per_s: requests / took },
          ...{ posted_p99_ms: part.posted, seen_p99_ms: part.seen },
        };
        return { figure: quantile(ms, 0.99), cpuUs: null, context };
      },
      limit: null,
      settle: () => app.caughtUp(),
      parameters: { learners, posts_per_s_asked: rate, posts_per_s_taken_at_most: Math.round(taken) },
      note: () => `beside ${rate} POSTs/s; ${probes} answers, ${late} not in within the wait; ${partsOf(parts)}`,
    };
  },
};

/** Which part is to be mended: the commit (and so the disk), or what comes after it. */
function partsOf(parts: readonly { readonly posted: number; readonly seen: number }[]): string {
  const middle = (all: readonly number[]): string => quantile(all, 0.5).toFixed(0);
  const [posted, seen] = [parts.map(({ posted }) => posted), parts.map(({ seen }) => seen)];
  return `p99 of the reply to the POST ${middle(posted)} ms, of what follows it ${middle(seen)} ms`;
}

interface Wait {
  /** Until the reply to the POST, and until the list was there; milliseconds from the start. */
  readonly postedMs: number;
  readonly ms: number;
  /** The answer said that it includes the interaction. */
  readonly includes: boolean;
}

interface Chain {
  readonly learners: number;
  readonly chain: number;
  readonly number: number;
}

async function probe(app: App, { learners, chain, number }: Chain, stop: AbortSignal): Promise<Wait[]> {
  const waits: Wait[] = [];
  const started = performance.now();
  for (let n = chain; !stop.aborted; n += chains) {
    const learner = n % learners;
    const from = performance.now();
    const posted = await app.request("POST", "/v1/interactions", answer(learner, 6000 + number * 1000 + n));
    const postedMs = performance.now() - from;
    const token = tokenOf(posted.text);
    const answered = await app.request("GET", `${nextPath(learner)}?after=${encodeURIComponent(token)}`);
    const ms = performance.now() - from;
    // The first second starts the load.
    if (from - started > 1000 && !stop.aborted) waits.push({ postedMs, ms, includes: includesIt(answered.text) });
  }
  return waits;
}

const includesIt = (text: string): boolean => JSON.parse(text).fresh === true;

/** POST /v1/interactions gives one token for each learner. */
function tokenOf(text: string): string {
  const [token] = Object.values(JSON.parse(text).tokens);
  if (typeof token !== "string") throw new Error(`no freshness token in ${text}`);
  return token;
}
