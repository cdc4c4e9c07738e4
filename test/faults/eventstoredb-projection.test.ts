import { afterAll, describe, expect, test } from "vitest";
import { openEventStoreDbLog } from "../../src/adapters/event-store/eventstoredb/log.ts";
import { createMemoryReadModels } from "../../src/adapters/read-models/memory.ts";
import type { LearnerModel } from "../../src/domain/learner-model/learner-model.ts";
import { lrLite } from "../../src/domain/learner-model/models.ts";
import { digestNamespace } from "../../src/projections/digest.ts";
import { depsOf, pipelineOf, runToHead, straightDigest } from "../../src/projections/invariants.contract.ts";
import { namespaceOf } from "../../src/projections/rows.ts";
import { startEventStoreDb } from "../support/eventstoredb/start.ts";
import { makeTrouble } from "../support/eventstoredb/trouble.ts";
import { type History, learningHistory } from "../support/learning-history.ts";
import { seededRandom } from "../support/random.ts";

const model = lrLite as LearnerModel;
const seed = Number(process.env.PROXIMAL_SEED ?? 20_260_301);
const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 2);
const server = await startEventStoreDb({ nodes: 3 });
afterAll(() => server.stop());

/** The same history in EventStoreDB. */
async function stored(): Promise<History & { close(): Promise<void> }> {
  const history = await learningHistory(seed, { model, events: 600 });
  const log = await openEventStoreDbLog({ url: server.clusterUrl, deadlineMs: 1_000, silenceMs: 100 });
  const { events } = await history.log.read(0, 100_000);
  for (const event of events) {
    const { stream, eventId, type, recordedAt } = event;
    const one = { eventId, type, recordedAt, data: event.data as object, metadata: { schemaVersion: 1 } };
    const [result] = await log.append([{ stream, expected: event.revision - 1, events: [one] }]);
    if (result?.status !== "appended") throw new Error(`${stream}: ${result?.status}`);
  }
  return { ...history, log, close: () => log.close() };
}

describe("rows made from EventStoreDB", () => {
  // Invariants 2, 3 and 6: nothing skipped, nothing folded twice; rebuilt, the rows are the same byte for byte.
  test(`are those of a straight rebuild, whatever happens to the server (PROXIMAL_SEED=${seed})`, {
    timeout: 60_000 + runs * 10_000,
  }, async () => {
    const history = await stored();
    const straight = await straightDigest(history);
    for (let run = 0; run < runs; run += 1) {
      const random = seededRandom(seed + run);
      const readModels = createMemoryReadModels();
      const deps = depsOf(history, readModels);
      const namespace = namespaceOf(1, model.name, 1);
      const stop = makeTrouble(server, seededRandom(seed + run + 1_000));
      for (let done = false; !done; ) {
        // A pipeline whose call failed is thrown away, as a process that died is.
        done = await runToHead(deps, pipelineOf(deps, namespace), 1 + random.below(60)).then(
          () => true,
          () => false,
        );
      }
      await stop();
      expect(await digestNamespace(readModels, namespace), `PROXIMAL_SEED=${seed + run}`).toBe(straight);
    }
    await history.close();
  });
});
