import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
import { type AppendRequest, type AppendResult, LogUnavailable } from "../ports/event-store.ts";
import { createGroupCommit, LogBusy } from "./group-commit.ts";

let made = 0;
function request(stream: string): AppendRequest {
  made += 1;
  const eventId = `00000000-0000-4000-8000-${String(made).padStart(12, "0")}`;
  const rest = { type: "T", data: {}, metadata: { schemaVersion: 1 }, recordedAt: "2026-01-01T00:00:00.000Z" };
  return { stream, expected: "any", events: [{ eventId, ...rest }] };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test("a log that hangs: who came in time waits for it, newcomers are refused at once until it goes on", async () => {
  let answer = (): void => undefined;
  const append = (requests: readonly AppendRequest[]) =>
    new Promise<AppendResult[]>((resolve) => {
      answer = () => resolve(requests.map(() => ({ status: "appended", revision: 1, position: 1 })));
    });
  let refused = 0;
  const group = createGroupCommit({ append }, { maxWaitMs: 30, onRefused: (requests) => (refused += requests) });
  const taken = [group.append([request("learner-1")])];
  await turn();
  taken.push(group.append([request("learner-2")]), group.append([request("learner-3")]));
  expect(group.waitedMs()).toBeLessThan(30);
  await sleep(40);
  expect(group.waitedMs()).toBeGreaterThan(30);
  await expect(group.append([request("learner-4"), request("learner-5")])).rejects.toBeInstanceOf(LogBusy);
  expect({ refused, pending: group.pending() }).toEqual({ refused: 2, pending: 3 });
  answer();
  await turn();
  // Those who waited are being committed; nobody waits any more.
  expect(group.waitedMs()).toBe(0);
  taken.push(group.append([request("learner-4")]));
  for (let n = 0; n < 3; n += 1) {
    answer();
    await turn();
  }
  await expect(Promise.all(taken)).resolves.toHaveLength(4);
});

/** One caller: how many events, of which learner on, and how long after the one before (event loop turns). */
const arrival = fc.record({
  events: fc.integer({ min: 1, max: 4 }),
  learner: fc.nat({ max: 6 }),
  pause: fc.nat({ max: 2 }),
});
const commit = fc.constantFrom("stored", "stored late", "refused", "stored without a word");

test("under overload nothing accepted is lost, nothing refused is stored, and the queue keeps its bound", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { minLength: 20, maxLength: 120 }),
      fc.array(commit, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 12 }),
      async (arrivals, commits, maxQueued) => {
        const log = createMemoryLog();
        let at = 0;
        const append = async (requests: readonly AppendRequest[]): Promise<AppendResult[]> => {
          const how = commits[at % commits.length];
          at += 1;
          await turn();
          if (how === "refused") throw new LogUnavailable("gone before");
          const results = await log.append(requests);
          if (how === "stored late") for (let n = 0; n < 5; n += 1) await turn();
          if (how === "stored without a word") throw new LogUnavailable("gone after");
          return results;
        };
        const group = createGroupCommit({ append }, { maxQueued, maxBatch: 5 });
        const [accepted, refused]: [string[], string[]] = [[], []];
        const callers: Promise<void>[] = [];
        for (const { events, learner, pause } of arrivals) {
          const requests = Array.from({ length: events }, (_, n) => request(`learner-${learner + n}`));
          const ids = requests.flatMap((one) => one.events.map(({ eventId }) => eventId));
          const keep = (error: unknown): void => {
            // Whether a commit that got no answer was stored is not known: the client sends it again.
            if (error instanceof LogBusy) refused.push(...ids);
            else if (!(error instanceof LogUnavailable)) throw error;
          };
          callers.push(group.append(requests).then(() => void accepted.push(...ids), keep));
          expect(group.pending()).toBeLessThanOrEqual(Math.max(maxQueued, 4) + 2 * 5);
          for (let n = 0; n < pause; n += 1) await turn();
        }
        await Promise.all(callers);
        expect(group.pending()).toBe(0);
        const stored = (await log.read(0, 10_000)).events.map(({ eventId }) => eventId);
        expect(new Set(stored).size).toBe(stored.length);
        const storedIds = new Set(stored);
        expect(accepted.filter((id) => !storedIds.has(id))).toEqual([]);
        expect(refused.filter((id) => storedIds.has(id))).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});
