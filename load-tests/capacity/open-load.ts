// A child process: posts interactions at the times of a Poisson process, whether earlier ones are answered or not, and asks
// after some of them until the next list includes them. In its own process so that measuring does not take time from
// what is measured.

import { Agent, request } from "node:http";
import { type RateProfile, scheduleArrivals } from "../../src/domain/pipeline-simulation/arrivals.ts";
import { createCalendar } from "../../src/domain/pipeline-simulation/calendar.ts";
import { mulberry32 } from "../../src/domain/random.ts";
import { answer, learnerOf } from "../bench/course.ts";
import { nextPath } from "../bench/proximal-app.ts";

export interface OpenLoadOrder {
  readonly url: string;
  readonly key: string;
  readonly profile: RateProfile;
  readonly seconds: number;
  readonly seed: number;
  /** Share of the posts that are asked after. */
  readonly askedShare: number;
  readonly learners: number;
}

export interface OpenLoadReport {
  readonly sent: number;
  readonly failed: number;
  /** Milliseconds of each answer. */
  readonly postMs: readonly number[];
  readonly visibleMs: readonly number[];
  /** Asked after, and not included within the server's wait. */
  readonly notVisible: number;
  /** Posts that left later than they should have, by more than 20 ms: the generator was too slow. */
  readonly lateStarts: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 2000 });

function send(url: string, key: string, method: "GET" | "POST", path: string, body?: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const sent = request(url + path, { method, agent, headers }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk;
      });
      response.on("end", () =>
        (response.statusCode ?? 500) < 300 ? resolve(text) : reject(new Error(`${response.statusCode}: ${text}`)),
      );
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function run({ url, key, profile, seconds, seed, askedShare, learners }: OpenLoadOrder): Promise<OpenLoadReport> {
  const times: number[] = [];
  const calendar = createCalendar();
  const random = mulberry32(seed);
  const arrive = (): void => void times.push(calendar.now());
  scheduleArrivals({ calendar, random, profile, untilSeconds: seconds, resolutionMs: 0, arrive });
  calendar.runUntil(seconds);

  const report = {
    sent: 0,
    failed: 0,
    postMs: [] as number[],
    visibleMs: [] as number[],
    notVisible: 0,
    lateStarts: 0,
  };
  const started = performance.now();
  async function one(n: number): Promise<void> {
    const from = performance.now();
    try {
      const learner = n % learners;
      const posted = await send(url, key, "POST", "/v1/interactions", answer(learner, 20_000 + n));
      report.postMs.push(performance.now() - from);
      if (random() >= askedShare) return;
      const token = encodeURIComponent(JSON.parse(posted).tokens[learnerOf(learner)]);
      const next = await send(url, key, "GET", `${nextPath(learner)}?after=${token}`);
      if (JSON.parse(next).fresh === true) report.visibleMs.push(performance.now() - from);
      else report.notVisible += 1;
    } catch {
      report.failed += 1;
    }
  }
  const under: Promise<void>[] = [];
  for (const [n, at] of times.entries()) {
    const wait = started + at * 1000 - performance.now();
    // A timer of Node is good to a millisecond, which is finer than what is compared.
    if (wait > 0.5) await new Promise((resolve) => setTimeout(resolve, wait));
    if (performance.now() - started - at * 1000 > 20) report.lateStarts += 1;
    report.sent += 1;
    under.push(one(n));
  }
  await Promise.all(under);
  return report;
}

process.on("message", (order: OpenLoadOrder) => {
  run(order).then(
    (report) => process.send?.(report),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
