import type { LoadOrder } from "./load-generator.ts";
import type { LoadGenerator } from "./load-side.ts";
import type { App } from "./proximal-app.ts";
import type { Sample, Scale, Target } from "./result.ts";

/*
 * What a case of `npm run bench` is. A module `case-<what>.ts` exports one or more of them, `cases.ts` lists them all.
 *
 * A case says what it measures, what it is held against, and what it has to reach; `prepare` starts what it needs beyond
 * the shared setting and gives the two sides, each a function that measures ONE round. The frame (run-case.ts) does the
 * rest: a round of each that does not count, then rounds of ours and of the limit in turn, the order changing with each
 * round so that what else the machine does meets both; ratios of paired rounds; the table, the JSON, the comparison.
 * A case prints nothing and keeps no statistics. What a round gives is a `Sample` (result.ts).
 *
 * Three scales: `full` is what documents quote, `quick` is for a look while working, `gate` is what CI runs (gate.ts).
 */

export interface Round {
  /** From 0; -1 is the round that does not count. */
  readonly number: number;
  /** How long a side is loaded. One that ends by itself (a rebuild, say) takes what it takes. */
  readonly seconds: number;
  /** Where work and not time is given (the gate): a loaded side ends with so many requests, or after `seconds` with fewer. */
  readonly requests?: number;
}

export type Side = (round: Round) => Promise<Sample>;

export interface Prepared {
  readonly ours: Side;
  /** Null where the target is of the figure itself. */
  readonly limit: Side | null;
  /** After each round of ours, before anything else is measured: let the projections catch up, say. */
  readonly settle?: () => Promise<void>;
  /** Ends what `prepare` started. What the whole bench started (processes.ts) ends with it anyway, also after Ctrl-C. */
  readonly end?: () => Promise<void>;
  /** What it was measured with, for the record: `{ connections: 32, events: 200_000 }`. */
  readonly parameters: Readonly<Record<string, number | string>>;
  /** Said beside the result; asked for after the last round. */
  readonly note?: () => string;
}

export interface BenchCase {
  /** As `--only` takes it: `next-hit`. */
  readonly name: string;
  /** What is measured, as a document would say it: "next item, in-process hit". */
  readonly title: string;
  /** What it is held against: "bare Fastify route, same bytes". Null without a limit. */
  readonly limit: string | null;
  /** Of the figure: `requests/s`, `events/s`, `ms`, `s`, `bytes`. */
  readonly unit: string;
  readonly better: "higher" | "lower";
  /** Null for a figure that is given for context. */
  readonly target: Target | null;
  /** Where the usual rounds and seconds of a scale (main.ts) do not fit. A side that ends by itself needs no seconds. */
  readonly rounds?: Readonly<Partial<Record<Scale, number>>>;
  readonly seconds?: Readonly<Partial<Record<Scale, number>>>;
  /** False where each round starts from nothing: no round that does not count. */
  readonly warmUp?: false;
  /** Scales that leave it out, because it takes too long there. */
  readonly notIn?: readonly Scale[];
  /** In the gate of CI: only where the ratio is stable on a busy machine of two cores. gate.ts says by what. */
  readonly gate?: boolean;
  prepare(setting: BenchSetting): Promise<Prepared>;
}

/** What all cases share. Each part is started when the first case asks for it. */
export interface BenchSetting {
  readonly scale: Scale;
  /** Of a round of the case that is prepared. */
  readonly seconds: number;
  /** Learners of `app` that have a history (course.ts), numbered from 0. */
  readonly learners: number;
  /** Proximal on PostgreSQL and Redis of its own, the course published, each learner with a history of 20 answers. */
  app(): Promise<App>;
  /** The bare Fastify server of bare-server.ts, which gives the bytes that `app` gave. */
  bare(): Promise<{ readonly url: string; readonly pid: number }>;
  /** For `loadSide`, or to put load on something by itself. */
  generator(): LoadGenerator;
}

/** A server under load, see `loadSide`. */
export interface Loaded {
  readonly url: string;
  /** Whose CPU time counts. */
  readonly pids: readonly number[];
  readonly order: Omit<LoadOrder, "url" | "seconds">;
  /** Operations in a request: 100 for a batch of 100. */
  readonly each?: number;
}
