import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startAppender } from "../../../test/support/kill-appender.ts";
import { mulberry32 } from "../../domain/random.ts";
import type { StoredEvent } from "../../ports/event-store.ts";
import { type Log, readAll } from "./support.contract.ts";

/** Checks that positions and revisions have no gaps and that requests are whole; gives the ids of the requests. */
export function wholeRequests(events: readonly StoredEvent[]): Set<string> {
  expect(events.map((event) => event.position)).toEqual(events.map((_, i) => i + 1));
  const revisions = new Map<string, number>();
  const parts = new Map<string, { of: number; next: number }>();
  for (const event of events) {
    expect(event.revision).toBe((revisions.get(event.stream) ?? 0) + 1);
    revisions.set(event.stream, event.revision);
    const { request, n, of } = event.data as { request: string; n: number; of: number };
    expect(n, `request ${request} is in order`).toBe(parts.get(request)?.next ?? 0);
    parts.set(request, { of, next: n + 1 });
  }
  for (const [request, { of, next }] of parts) expect(next, `request ${request} is whole`).toBe(of);
  return new Set(parts.keys());
}

/**
 * Invariant 1 against kill -9: processes that append are killed at random moments, again and again on the same log.
 * Whatever had been acknowledged is there afterwards. PROXIMAL_SEED=<n> repeats one seed, PROXIMAL_FAULT_RUNS=<n> kills so often.
 */
export function durabilityContract(
  engine: "sqlite" | "postgres",
  newTarget: () => Promise<string>,
  open: (target: string) => Promise<Log & { close(): Promise<void> }>,
): void {
  const kills = Number(process.env.PROXIMAL_FAULT_RUNS ?? 8);
  const seed = Number(process.env.PROXIMAL_SEED ?? 7);

  test(`kill -9 loses nothing that was acknowledged and tears no request; seed ${seed}`, {
    timeout: Math.max(120_000, kills * 10_000),
  }, async () => {
    const target = await newTarget();
    const random = mulberry32(seed);
    const acknowledged = new Set<string>();
    for (let round = 0; round < kills; round++) {
      const appender = startAppender(engine, target);
      await appender.until(1);
      await sleep(random() * 250);
      for (const id of await appender.kill()) acknowledged.add(id);
      const log = await open(target);
      const { events } = await readAll(log, 0, 1_000);
      await log.close();
      const stored = wholeRequests(events);
      expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
    }
    expect(acknowledged.size).toBeGreaterThan(kills * 5);
  });

  test("two processes append while this one reads the feed: nothing is missed", { timeout: 120_000 }, async () => {
    const target = await newTarget();
    const log = await open(target);
    const appenders = [startAppender(engine, target), startAppender(engine, target)];
    const started = Promise.all(appenders.map((appender) => appender.until(200)));
    let enough = false;
    const stop = () => {
      enough = true;
    };
    started.then(stop, stop);
    const seen: StoredEvent[] = [];
    let position = 0;
    const signal = new AbortController().signal;
    while (!enough) {
      const page = await log.read(position, 50);
      seen.push(...page.events);
      position = page.position;
      if (page.atHead) await log.waitForMore(position, 1_000, signal);
    }
    await started;
    const killed = await Promise.all(appenders.map((appender) => appender.kill()));
    // What a killed process had sent may be committed after it: all is read first, and the follower's rest after that.
    const { events } = await readAll(log, 0, 10_000);
    seen.push(...(await readAll(log, position)).events);
    expect(seen.slice(0, events.length)).toEqual(events);
    const stored = wholeRequests(seen);
    expect(killed.flatMap((ids) => [...ids]).filter((id) => !stored.has(id))).toEqual([]);
    await log.close();
  });
}
