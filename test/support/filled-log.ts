import { randomUUID } from "node:crypto";
import { openSqliteLog } from "../../src/adapters/event-store/sqlite/log.ts";
import { currentSchemaVersion, type InteractionRecorded } from "../../src/domain/events.ts";
import { learnerStream } from "../../src/domain/streams.ts";

const batch = 2_000;

/** Appends so many answers of so many learners to the SQLite log of a folder, one each second from 2026 on. */
export async function fillLog(folder: string, events: number, learners: number): Promise<void> {
  const log = await openSqliteLog({ folder });
  const metadata = { schemaVersion: currentSchemaVersion };
  for (let n = 0; n < events; n += batch) {
    const answers = Array.from({ length: Math.min(batch, events - n) }, (_, i) => answerOf(n + i, learners));
    await log.append(
      answers.map((data) => ({
        stream: learnerStream(data.learnerId),
        expected: "any" as const,
        events: [{ eventId: randomUUID(), type: "InteractionRecorded", data, metadata, recordedAt: data.occurredAt }],
      })),
    );
  }
  await log.close();
}

function answerOf(n: number, learners: number): InteractionRecorded {
  return {
    ...{ interactionId: randomUUID(), learnerId: `learner-${n % learners}`, itemId: `item-${(n * 7) % 5_000}` },
    ...{
      kind: "answer",
      skillIds: [`skill-${n % 50}`, `skill-${n % 7}`],
      correct: n % 3 > 0,
      score: n % 3 > 0 ? 1 : 0,
    },
    ...{ durationMs: 1_000 + ((n * 31) % 60_000), hintCount: n % 4, sessionId: `session-${Math.floor(n / 20)}` },
    ...{ sessionType: "practice", trackId: "algebra" },
    occurredAt: new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString(),
  };
}
