import { z } from "zod";
import { limits } from "../k6/profiles.ts";
import type { Verdict } from "./result.ts";

/** What Locust found: load-tests/locust/recorder.py writes it. */

const maybe = z.number().nullable();
const figures = { count: z.number(), failed: z.number(), p50: maybe, p95: maybe, p99: maybe, max: maybe };
const yesNo = z.object({ yes: z.number(), no: z.number() });
const figuresSchema = z.object(figures);

export const locustSummarySchema = z.object({
  version: z.string(),
  seconds: z.number(),
  /** Milliseconds since 1970. */
  beganAt: z.number(),
  all: figuresSchema,
  next: figuresSchema,
  requests: z.array(z.object({ name: z.string(), ...figures })),
  checks: z.array(z.object({ name: z.string(), passes: z.number(), fails: z.number() })),
  fresh: yesNo,
  readyMade: yesNo,
  /** Begun, by persona. */
  sessions: z.record(z.string(), z.number()),
  accepted: z.number(),
  shed: z.number(),
  series: z.array(
    z.object({
      ...{ t: z.number(), perSecond: z.number(), errorRate: z.number(), dropped: z.number(), users: maybe },
      ...{ p50: maybe, p90: maybe, p95: maybe, p99: maybe, max: maybe },
      ...{ nextP50: maybe, nextP95: maybe, nextP99: maybe },
    }),
  ),
  stats: z.array(z.unknown()),
});

export type LocustSummary = z.infer<typeof locustSummarySchema>;

const ms = (value: number | null): string => (value === null ? "not measured" : `${value.toFixed(1)} ms`);
const percent = (share: number, digits: number): string => `${(100 * share).toFixed(digits)} %`;

export function locustVerdicts({ all, next, checks, fresh }: LocustSummary): Verdict[] {
  const looked = checks.reduce((sum, { passes, fails }) => sum + passes + fails, 0);
  const violations = checks.reduce((sum, { fails }) => sum + fails, 0);
  const errorRate = all.failed / Math.max(1, all.count);
  const freshShare = fresh.yes / Math.max(1, fresh.yes + fresh.no);
  return [
    {
      ...{ name: "p95 of all requests", limit: `< ${limits.p95Ms} ms`, value: ms(all.p95) },
      met: all.p95 !== null && all.p95 < limits.p95Ms,
    },
    {
      ...{ name: "p95 of next", limit: `< ${limits.nextP95Ms} ms`, value: ms(next.p95) },
      met: next.p95 !== null && next.p95 < limits.nextP95Ms,
    },
    {
      ...{ name: "requests that failed", limit: `< ${percent(limits.errorRate, 1)}`, value: percent(errorRate, 3) },
      met: all.count > 0 && errorRate < limits.errorRate,
    },
    {
      ...{ name: "content of answers", limit: "no violation", value: `${violations} in ${looked} checks` },
      met: violations === 0 && looked > 0,
    },
    {
      ...{ name: "answers that include the answer", limit: "> 99 %", value: percent(freshShare, 2) },
      met: freshShare > 0.99,
    },
  ];
}
