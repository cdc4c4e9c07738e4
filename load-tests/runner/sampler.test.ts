import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { redisInfo } from "./sample-engines.ts";
import { startSampler } from "./sampler.ts";
import { runningTarget } from "./target.ts";

/** A system that answers each look at its metrics with more of everything. */
async function fakeSystem() {
  let looks = 0;
  const server = createServer((_, reply) => {
    looks += 1;
    reply.end(`
row_cache_lookups_total{result="hit"} ${60 * looks}
row_cache_lookups_total{result="absent"} ${20 * looks}
row_cache_lookups_total{result="joined"} ${5 * looks}
row_cache_lookups_total{result="miss"} ${15 * looks}
interactions_total{status="accepted"} ${100 * looks}
interactions_total{status="rejected"} ${7 * looks}
next_answers_total{source="personal"} ${90 * looks}
next_answers_total{source="popular"} ${10 * looks}
projection_lag_events{projection="learners",partition="0"} 3
projection_lag_events{projection="learners",partition="1"} 8
projection_lag_seconds{projection="learners",partition="0"} 0.25
nodejs_eventloop_lag_p99_seconds 0.012
process_resident_memory_bytes 104857600
`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, looks: () => looks };
}

test("a look has the rates since the one before, the furthest lag, and the whole run its hit ratio", async () => {
  const { url, looks } = await fakeSystem();
  const sampler = startSampler(runningTarget(url, url, "key"), performance.now(), 20);
  await vi.waitFor(() => expect(looks()).toBeGreaterThan(3), { timeout: 60_000 });
  const samples = await sampler.stop();
  expect(sampler.hitRatio()).toBeCloseTo(0.8, 10);
  const [first, second] = samples;
  expect(first).toMatchObject({
    hitRatio: null,
    acceptedPerSecond: null,
    lagEvents: 8,
    lagSeconds: 0.25,
    pending: null,
  });
  expect(second).toMatchObject({ hitRatio: 0.8, sources: { personal: 0.9, popular: 0.1, stale: 0 }, redis: null });
  expect(second?.roles).toMatchObject({ all: { rssMb: 100, eventLoopP99Ms: 12, heapMb: null } });
  // 100 more of each look.
  expect((second?.acceptedPerSecond ?? 0) * ((second?.t ?? 0) - (first?.t ?? 0))).toBeGreaterThan(50);
  expect(await sampler.stop()).toBe(samples);
});

test("a system that does not answer leaves gaps, and no zeros", async () => {
  const nobody = "http://127.0.0.1:9";
  const sampler = startSampler(runningTarget(nobody, nobody, "key"), performance.now(), 20);
  const [sample] = await sampler.stop();
  expect(sample).toMatchObject({ lagEvents: null, hitRatio: null, acceptedPerSecond: null, roles: {} });
  expect(sampler.hitRatio()).toBeNull();
});

test("load goes to this machine only", () => {
  for (const url of ["http://10.0.0.1:3000", "http://example.org", "http://127.0.0.1.example.org"]) {
    expect(() => runningTarget("http://127.0.0.1:3000", url, "key"), url).toThrow("is another machine");
  }
  expect(runningTarget("http://127.0.0.1:1", "http://localhost:2", "k").roles.map(({ name }) => name)).toEqual([
    "api",
    "query",
  ]);
});

test("INFO of Redis is read by name", () => {
  const info = redisInfo("# Memory\r\nused_memory:1048576\r\nused_memory_human:1M\r\n\r\nkeyspace_hits:5\r\n");
  expect([info("used_memory"), info("keyspace_hits"), info("evicted_keys"), info("used_memory_human")]).toEqual([
    ...[1_048_576, 5, 0, 0],
  ]);
});
