import { load } from "./against-limit.ts";
import type { BenchSetting } from "./bench-setting.ts";
import { singleShots } from "./case-ingest.ts";
import { answer } from "./course.ts";
import type { LoadReport } from "./load-generator.ts";
import { nextPath } from "./proximal-app.ts";
import type { Measurement } from "./report.ts";
import { quantile, spreadOf } from "./statistics.ts";

/**
 * From sending an answer to holding a next list that includes it, while others post at half the rate that single POSTs
 * reached: POST, then GET with `after=` the token of the reply. One such pair after the other, beside the load.
 */
export async function benchVisible(setting: BenchSetting, singlePerSecond: number): Promise<Measurement[]> {
  const { app, generator, learners, seconds, rounds } = setting;
  const rate = Math.floor(singlePerSecond / 2);
  const shots = singleShots(learners);
  const p50: number[] = [];
  const p99: number[] = [];
  const reached: number[] = [];
  let late = 0;
  let probes = 0;
  for (let round = 0; round < rounds; round += 1) {
    const order = { url: app.url, key: app.key, connections: 64, seconds: seconds + 1, rate, shots };
    const loading = load(generator, app.server.pid, order);
    const waits = await probeWhile(setting, loading, round);
    const report: LoadReport = await loading;
    await app.caughtUp();
    reached.push(report.requests / report.seconds);
    late += waits.filter((wait) => !wait.includes).length;
    probes += waits.length;
    p50.push(
      quantile(
        waits.map((wait) => wait.ms),
        0.5,
      ),
    );
    p99.push(
      quantile(
        waits.map((wait) => wait.ms),
        0.99,
      ),
    );
  }
  const unit = "ms";
  const note = `at ${Math.round(spreadOf(reached).median)} of ${rate} POSTs/s asked, ${probes} answers, ${late} not in within the wait`;
  const shared = { unit, limit: null, ratio: null };
  return [
    { name: "answer to visible: p50", ...shared, ours: spreadOf(p50), target: null },
    { name: "answer to visible: p99", ...shared, ours: spreadOf(p99), target: { below: 250 }, note },
  ];
}

interface Wait {
  readonly ms: number;
  /** The answer said that it includes the interaction. */
  readonly includes: boolean;
}

async function probeWhile({ app, learners }: BenchSetting, loading: Promise<unknown>, round: number): Promise<Wait[]> {
  let running = true;
  const stopped = loading.finally(() => {
    running = false;
  });
  const waits: Wait[] = [];
  const started = performance.now();
  for (let n = 0; running; n += 1) {
    const learner = n % learners;
    const from = performance.now();
    const posted = await app.request("POST", "/v1/interactions", answer(learner, 5000 + round * 1000 + n));
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
