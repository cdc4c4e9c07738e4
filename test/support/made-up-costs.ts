import type { Costs } from "../../src/domain/capacity/costs.ts";
import { throughputAt } from "../../src/domain/capacity/scalability.ts";

const us = (median: number) => ({ median: median / 1e6, min: (median * 0.9) / 1e6, max: (median * 1.2) / 1e6 });

const curve = (lambda: number, sigma: number, kappa: number) =>
  [1, 2, 4, 8, 16, 32].map((n) => ({ n, throughput: throughputAt({ lambda, sigma, kappa }, n) }));

/** Costs in round numbers, for tests that say what a plan must come to. */
export const madeUpCosts: Costs = {
  ...{ format: 1, measuredAt: "2026-01-01T00:00:00.000Z", command: "none", machine: { cores: 2 } },
  ...{ settings: {}, notes: ["made up for tests"] },
  cpu: {
    nextFromMemory: { app: us(30) },
    nextFromRedis: { app: us(80), redis: us(10) },
    post: { app: us(120), postgres: us(60) },
    postInBatch: { app: us(20), postgres: us(25) },
    projected: { app: us(50), postgres: us(10), redis: us(15) },
    projectedFromKafka: { app: us(70), redis: us(15), kafka: us(5) },
    projectorBatch: { app: us(1000) },
    trained: { app: us(20), postgres: us(5) },
    relayed: { app: us(30), postgres: us(10), kafka: us(10) },
  },
  bytes: {
    ...{ redisPerLearner: 2000, redisBase: 10_000_000, logPerInteraction: 800, logPerServedList: 1600 },
    ...{
      walPerInteraction: 900,
      eventPerInteraction: 400,
      eventPerServedList: 1200,
      archiveRatio: 0.2,
      kafkaPerInteraction: 700,
    },
    ...{ nextRequest: 200, nextResponse: 1500, postRequest: 400, postResponse: 400 },
    ...{ redisPerProjected: 2500, redisPerNext: 1200, postgresPerPost: 700 },
  },
  redisCommands: { perProjected: 4, perNextFromRedis: 1 },
  memory: { api: 2e8, projector: 3e8, trainer: 3e8 },
  scaling: {
    nextByConnections: curve(6000, 0.2, 0),
    postByConnections: curve(500, 0.05, 0.0001),
    postByProcesses: curve(1200, 0.1, 0.001),
  },
  timesMs: { commitBase: 2, commitPerEvent: 0.02, commitSerialMax: 1, visibleAlone: 8, redisRoundTrip: 0.2 },
};
