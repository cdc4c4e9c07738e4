import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { LogBusy } from "../commands/group-commit.ts";
import type { AppendRequest, AppendResult, EventStore } from "../ports/event-store.ts";

type Appending = Pick<EventStore, "append">;

const pauseMs = 200;
/** About 30 seconds. */
const attempts = 150;

/**
 * The log as a stream of batches has it: a full queue stores nothing, and a stream can wait. Batches are taken in in the order in
 * which they are given: while one that was refused tries again, those after it wait, or a learner's answers would change places.
 */
export function patientLog(log: Appending): Appending {
  let before: Promise<void> = Promise.resolve();
  return {
    async append(requests) {
      const turn = before;
      const taken = Promise.withResolvers<void>();
      before = taken.promise;
      try {
        await turn;
        return await appendPatiently(log, requests, taken.resolve);
      } finally {
        taken.resolve();
      }
    },
  };
}

async function appendPatiently(
  log: Appending,
  requests: readonly AppendRequest[],
  taken: () => void,
): Promise<AppendResult[]> {
  for (let attempt = 1; ; attempt += 1) {
    const appending = log.append(requests);
    try {
      // Who is refused is told at once.
      await Promise.race([appending, nextTurn()]);
      taken();
      return await appending;
    } catch (error) {
      if (!(error instanceof LogBusy) || attempt >= attempts) throw error;
      await sleep(pauseMs);
    }
  }
}
