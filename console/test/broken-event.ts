import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openSqliteLog } from "../../src/adapters/event-store/sqlite/log.ts";
import type { EventStore } from "../../src/ports/event-store.ts";

const answer = (learnerId: string, kind: string) => ({
  ...{ interactionId: "broken-1", learnerId, itemId: "integer-sums-1", kind, correct: true, score: 1 },
  ...{ skillIds: ["integer-sums"], sessionType: "practice", occurredAt: "2026-03-01T08:00:00.000Z" },
});

/** An event that no version of the code could fold. */
export async function appendBroken(log: Pick<EventStore, "append">, learnerId: string): Promise<void> {
  await log.append([
    {
      ...{ stream: `learner-${learnerId}`, expected: "none" as const },
      events: [
        {
          ...{ eventId: randomUUID(), type: "InteractionRecorded", data: answer(learnerId, "dance") },
          ...{ metadata: { schemaVersion: 1 }, recordedAt: new Date().toISOString() },
        },
      ],
    },
  ]);
}

/** Puts one into the log of a folder. Before the server of that folder starts. */
export async function addBrokenEvent(folder: string, learnerId: string): Promise<void> {
  const log = await openSqliteLog({ folder });
  await appendBroken(log, learnerId);
  await log.close();
}

/** The data of that event as it should have been, as JSON. */
export const mended = (learnerId: string): string => JSON.stringify(answer(learnerId, "answer"));

/** What nobody should do to a log, done to it while the server runs: from now on the event is one that can be folded. */
export function mendEvent(folder: string, learnerId: string): void {
  const database = new DatabaseSync(join(folder, "log.sqlite"));
  database.exec("PRAGMA busy_timeout = 10000");
  const statement = database.prepare("UPDATE events SET data = ? WHERE stream = ?");
  const { changes } = statement.run(mended(learnerId), `learner-${learnerId}`);
  database.close();
  if (changes !== 1) throw new Error(`mended ${changes} events`);
}
