import type { FastifyRequest } from "fastify";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Log } from "../ports/log.ts";
import { createPressure, type LoadClass, loadClasses } from "./pressure.ts";
import { Problem } from "./problem.ts";

/** What a request is for; null: it is never refused for load. */
export type LoadOf = (request: Pick<FastifyRequest, "headers" | "url">) => LoadClass | null;

export interface Shedding {
  /** Null: nothing is ever refused. Milliseconds. */
  readonly limitMs: number | null;
  /** Takes by how much the event loop was late lately. */
  measured(delayMs: number): void;
  /** Whether the next request of this class is to be refused; counts it where it is. Cheap where nothing is refused. */
  refuses(load: LoadClass): boolean;
  /** Counts a request that was let in; gives what is to be called when it is over. null where nobody needs to know. */
  admitted(load: LoadClass): (() => void) | null;
}

/** Requests of these classes under way at once: each may hold memory, or an engine, for long. */
const underWayMax: Readonly<Partial<Record<LoadClass, number>>> = { analyst: 200, bulk: 200 };
/** Who cannot be served now may come again after so long: who is refused first is told to wait longest. Seconds. */
const retryAfter: Readonly<Record<LoadClass, number>> = { analyst: 5, bulk: 2, write: 1, query: 1 };

/**
 * Refuses what is too much before latency collapses: by class, while the event loop is late (see pressure.ts), and analysts'
 * and bulk requests beyond a number under way. With `limitMs` 0 nothing.
 */
export function createShedding(limitMs: number, registry: Registry, log: Log): Shedding {
  if (limitMs === 0) {
    return { limitMs: null, measured: () => undefined, refuses: () => false, admitted: () => null };
  }
  const pressure = createPressure(limitMs);
  const underWay: Record<LoadClass, number> = { analyst: 0, bulk: 0, write: 0, query: 0 };
  const metrics = shedMetrics(registry, pressure.level);
  const tell = createTeller(log, pressure.level);
  return {
    limitMs,
    measured(delayMs) {
      pressure.measured(delayMs);
      metrics.delay.set(delayMs / 1000);
      tell();
    },
    refuses(load) {
      const full = underWay[load] >= (underWayMax[load] ?? Number.POSITIVE_INFINITY);
      if (!full && !pressure.refuses(load)) return false;
      metrics.count(load);
      return true;
    },
    admitted(load) {
      if (underWayMax[load] === undefined) return null;
      underWay[load] += 1;
      return () => {
        underWay[load] -= 1;
      };
    },
  };
}

export function overloaded(load: LoadClass): Problem {
  const detail = "Too much is asked of this server just now; nothing of this request was done.";
  return new Problem("overloaded", { detail, retryAfterSeconds: retryAfter[load] });
}

const calmMs = 10_000;

/** A line when it begins, and one when it has ended for a while: an overload is one event, however it goes up and down. */
function createTeller(log: Log, level: () => number): () => void {
  let calmSince: number | null = null;
  let told = false;
  return () => {
    if (level() > 0) {
      calmSince = null;
      if (!told) log.warn({ level: level() }, "too much to do: refusing requests, analysts' and bulk first");
      told = true;
    } else if (told) {
      calmSince ??= performance.now();
      if (performance.now() - calmSince < calmMs) return;
      log.info({}, "no request is refused for load any more");
      told = false;
    }
  };
}

function shedMetrics(registry: Registry, level: () => number) {
  const registers = [registry];
  const refused = new Counter({
    ...{ name: "http_requests_shed_total", help: "Requests refused because there was too much to do", registers },
    labelNames: ["load"],
  });
  for (const load of loadClasses) refused.inc({ load }, 0);
  new Gauge({
    ...{ name: "http_pressure", registers, aggregator: "max" as const },
    help: "0: nothing is refused; up to 1 analysts' requests are, to 2 bulk too, to 3 writes, to 4 queries",
    collect() {
      this.set(level());
    },
  });
  const delay = new Gauge({
    ...{ name: "http_event_loop_delay_seconds", registers, aggregator: "max" as const },
    help: "By how much the event loop was late on average in the last tenth of a second",
  });
  return { count: (load: LoadClass) => refused.inc({ load }), delay };
}
