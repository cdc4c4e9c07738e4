import type { BenchCase, Prepared } from "./case.ts";
import { singleShots } from "./case-ingest.ts";
import { answer } from "./course.ts";
import { loadSide } from "./load-side.ts";
import { type App, nextPath } from "./proximal-app.ts";
import { quantile } from "./statistics.ts";

/**
 * From sending an answer to holding a next list that includes it, while others post at half the rate that single POSTs
 * reach in one process: POST, then GET with `after=` the token of the reply. One such pair after the other, beside the load.
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
    const { figure: most } = await flood({ number: 0, seconds });
    await app.caughtUp();
    const rate = Math.floor(most / 2);
    let [late, probes] = [0, 0];
    return {
      async ours({ number, seconds }) {
        const load = { url: app.url, key: app.key, connections: 64, seconds: seconds + 1, rate, shots };
        const loading = generator.load(load);
        const waits = await probeWhile(app, learners, loading, number);
        const { requests, failed, seconds: took } = await loading;
        if (failed > 0) throw new Error(`${failed} posts of the load failed: nothing to compare`);
        if (number >= 0) {
          late += waits.filter((wait) => !wait.includes).length;
          probes += waits.length;
        }
        const ms = waits.map((wait) => wait.ms);
        const context = { latency_p50_ms: quantile(ms, 0.5), posts_per_s: requests / took };
        return { figure: quantile(ms, 0.99), cpuUs: null, context };
      },
      limit: null,
      settle: () => app.caughtUp(),
      parameters: { learners, posts_per_s_asked: rate },
      note: () => `beside ${rate} POSTs/s; ${probes} answers, ${late} not in within the wait`,
    };
  },
};

interface Wait {
  readonly ms: number;
  /** The answer said that it includes the interaction. */
  readonly includes: boolean;
}

async function probeWhile(app: App, learners: number, loading: Promise<unknown>, round: number): Promise<Wait[]> {
  let running = true;
  const stopped = loading.finally(() => {
    running = false;
  });
  const waits: Wait[] = [];
  const started = performance.now();
  for (let n = 0; running; n += 1) {
    const learner = n % learners;
    const from = performance.now();
    const posted = await app.request("POST", "/v1/interactions", answer(learner, 6000 + round * 1000 + n));
    const token = tokenOf(posted.text);
    const answered = await app.request("GET", `${nextPath(learner)}?after=${encodeURIComponent(token)}`);
    const ms = performance.now() - from;
    // The first second starts the load.
    if (from - started > 1000 && running) waits.push({ ms, includes: includesIt(answered.text) });
  }
  await stopped;
  return waits;
}

const includesIt = (text: string): boolean => JSON.parse(text).fresh === true;

/** POST /v1/interactions gives one token for each learner. */
function tokenOf(text: string): string {
  const [token] = Object.values(JSON.parse(text).tokens);
  if (typeof token !== "string") throw new Error(`no freshness token in ${text}`);
  return token;
}
