import { performance } from "node:perf_hooks";
import { createMemoryReadModels } from "../../src/adapters/read-models/memory.ts";
import type { ReadModels } from "../../src/ports/read-models.ts";
import { rowKeptMs } from "../../src/queries/row-cache.ts";
import { answer, publishCourse, startTestApi, type TestApi } from "./api.ts";

/** What clients that ask for next items all the time have seen. */
export interface Seen {
  readonly asked: number;
  readonly failed: number;
  /** Of the first request that failed. */
  readonly failure: string | null;
  /** Answers by their source: personal, stale or popular. */
  readonly sources: Readonly<Record<string, number>>;
  /** Longest wait of a request for its answer, milliseconds. */
  readonly longestMs: number;
  /** Longest time without any good answer, milliseconds. */
  readonly gapMs: number;
  /** Longest time this process was held up by itself or its machine, milliseconds: no engine's fault. */
  readonly stallMs: number;
}

/** The service with these read models in place of its own; they hold what was folded of some answers of each learner. */
export async function apiOn(readModels: ReadModels, learnerIds: readonly string[]): Promise<TestApi> {
  let folded: ReadModels = createMemoryReadModels();
  const api = await startTestApi((deps) => {
    folded = deps.readModels;
    return { readModels, options: { rateLimitPerMinute: null } };
  });
  await publishCourse(api);
  const body = learnerIds.flatMap((id) => [answer(id, "counting-1"), answer(id, "counting-2", false)]);
  await api.call("POST", "/v1/interactions", { body });
  await api.settled();
  for await (const keys of folded.keys("")) {
    const rows = await folded.read(keys);
    await readModels.write(
      rows.map(({ version, fields }, at) => ({
        key: keys[at] ?? "",
        from: "older" as const,
        to: version,
        set: new Map(fields),
      })),
    );
  }
  return api;
}

/**
 * Asks for the next items of one learner after the other, so many times a second, never from the memory of the process,
 * until it is stopped.
 */
export function askForNext(api: TestApi, learnerIds: readonly string[], perSecond: number): () => Promise<Seen> {
  const seen = {
    ...{ asked: 0, failed: 0, failure: null as string | null },
    ...{ sources: {} as Record<string, number>, longestMs: 0, gapMs: 0, stallMs: 0 },
  };
  const everyMs = 1000 / perSecond;
  const underWay = new Set<Promise<void>>();
  let answeredAt = performance.now();
  let due = performance.now();

  async function ask(): Promise<void> {
    api.clock.advance(rowKeptMs);
    const learnerId = learnerIds[seen.asked % learnerIds.length];
    seen.asked += 1;
    const startedAt = performance.now();
    const reply = await api.call("GET", `/v1/learners/${learnerId}/next?count=3`);
    const now = performance.now();
    seen.longestMs = Math.max(seen.longestMs, now - startedAt);
    if (reply.status !== 200) {
      seen.failed += 1;
      seen.failure ??= `${reply.text} ${api.logged.filter((line) => line.includes('"err"')).slice(-1)}`;
      return;
    }
    seen.gapMs = Math.max(seen.gapMs, now - answeredAt);
    answeredAt = now;
    const source = String(reply.json.source);
    seen.sources[source] = (seen.sources[source] ?? 0) + 1;
  }

  const timer = setInterval(() => {
    const now = performance.now();
    seen.stallMs = Math.max(seen.stallMs, now - due);
    due = now + everyMs;
    const one = ask().finally(() => underWay.delete(one));
    underWay.add(one);
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await Promise.all(underWay);
    seen.gapMs = Math.max(seen.gapMs, performance.now() - answeredAt);
    return seen;
  };
}
