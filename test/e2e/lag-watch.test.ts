import { stripVTControlCharacters } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { durationText, lagTable, sparklineOf } from "../../src/app/cli/lag-table.ts";
import { createLagSampler } from "../../src/queries/lag-sampler.ts";
import { createQueueWatch } from "../../src/queries/queue-lag.ts";
import { publishCourse, startTestApi } from "../support/api.ts";
import { commandLine, Gathered } from "./command-line.ts";

const counts = { waiting: 1, prioritized: 0, paused: false, active: 0, delayed: 2, failed: 0, completedTotal: 7 };

/** A server on a port, with a queue, and the command line's options to reach it. */
async function server() {
  const jobs = { queue: "jobs", counts: async () => ({ ...counts, failedTotal: 1, oldestWaitingAt: null }) };
  const api = await startTestApi(({ followers, feed, clock }) => ({
    watched: {
      lag: createLagSampler({ feed, clock, followers: [...followers, { name: "relay", position: async () => null }] }),
      queues: createQueueWatch([jobs], clock),
    },
  }));
  onTestFinished(() => api.stop());
  await publishCourse(api);
  const url = await api.app.listen({ host: "127.0.0.1", port: 0 });
  return { api, at: ["--url", url, "--key", api.operatorKey] };
}

/** What a stream got, and who is to be told once it got so many pieces that match. */
class Watched extends Gathered {
  readonly isTTY: boolean;
  readonly columns = 200;
  readonly rows = 50;
  readonly #until: RegExp;
  readonly #times: number;
  readonly #done: () => void;
  constructor(isTTY: boolean, until: RegExp, times: number, done: () => void) {
    super();
    this.isTTY = isTTY;
    this.#until = until;
    this.#times = times;
    this.#done = done;
  }
  override _write(chunk: Buffer, encoding: BufferEncoding, callback: () => void): void {
    super._write(chunk, encoding, callback);
    if ([...this.text.matchAll(this.#until)].length >= this.#times) this.#done();
  }
}

async function watch(isTTY: boolean, until: RegExp, times: number, ...argv: readonly string[]) {
  const { at } = await server();
  const stopping = new AbortController();
  const stdout = new Watched(isTTY, until, times, () => stopping.abort());
  const { code, stderr } = await commandLine().runWith(
    { stdout, signal: stopping.signal },
    "lag",
    "--watch",
    ...argv,
    ...at,
  );
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.text;
}

test("once: it asks again where the server knew no rates yet", async () => {
  const { at } = await server();
  const { code, stdout } = await commandLine().run("lag", ...at);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^projection +partition +position +events behind +seconds behind +in\/s +out\/s +drains in +state$/m,
  );
  expect(stdout).toMatch(/^learners +0 +19 +0 +0 +0 +0 +0 s +current$/m);
  expect(stdout).toMatch(/^relay +0 +0 +19 +[\d.]+ +\S+ +\S+ +- +stale$/m);
  expect(stdout).toMatch(/^jobs +3 +1 +2 +0 +0 +0 s +0 +0$/m);
  expect(stdout).toMatch(/^log: 19$/m);
});

test("watched on a terminal the table is drawn in its place, with what was behind lately", async () => {
  const text = await watch(true, /Ctrl-C ends/g, 2);
  // The second is drawn over the first: up a line and erase it, for each of its lines.
  expect([...text.matchAll(/1A/g)].length).toBeGreaterThan(8);
  const shown = stripVTControlCharacters(text);
  expect(shown).toContain("events behind lately");
  // After one look, and after two: all of it is behind.
  expect([...shown.matchAll(/^relay .* stale +(█+)$/gm)].map((found) => found[1])).toEqual(["█", "██"]);
});

test("watched into a pipe it prints plain lines, and with --json one line each", async () => {
  const text = await watch(false, /^log: 19$/gm, 2);
  expect(text).toBe(stripVTControlCharacters(text));
  expect([...text.matchAll(/^learners +0 +19 /gm)]).toHaveLength(2);
  expect([...text.matchAll(/^\d{4}-\d\d-\d\dT\S+Z$/gm)]).toHaveLength(2);
  const lines = (await watch(false, /\n/g, 2, "--json")).trimEnd().split("\n");
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    const { at, head, projections, queues } = JSON.parse(line);
    expect([Date.parse(at) > 0, head, projections.length, queues.length]).toEqual([true, 19, 3, 1]);
  }
});

test("how fresh answers are, and what is left of the error budget", () => {
  const reply = { head: 0, projections: [], queues: [], unreadable: ["relay"] };
  const objective = { objective: 0.99, withinSeconds: 1, periodDays: 30 };
  const last = (freshness: object) => lagTable({ ...reply, freshness: { ...objective, ...freshness } as never })[2];
  expect(last({ good: 0, total: 0, burnRate: null, budgetLeft: 1 })).toBe(
    "visible within 1 s: no answers yet; objective 99 % in 30 days",
  );
  expect(last({ good: 1_999, total: 2_000, burnRate: 0.5, budgetLeft: 0.95 })).toBe(
    "visible within 1 s: 99.95 % of 2,000 answers; objective 99 % in 30 days, 95 % of the error budget left, burning at 0.5x in the last hour",
  );
  expect(lagTable({ ...reply, freshness: null })).toContain("not readable now: relay");
});

test("sparklines and times in words", () => {
  expect(sparklineOf([0, 1, 50, 100])).toBe("▁▂▅█");
  expect(sparklineOf([0, 0])).toBe("▁▁");
  expect(sparklineOf([])).toBe("");
  expect([null, 0, 0.44, 90, 600, 86_400, 864_000].map(durationText)).toEqual([
    ...["-", "0 s", "0.4 s", "90 s", "10 min", "24 h", "10 days"],
  ]);
});
