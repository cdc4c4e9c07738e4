import { randomUUID } from "node:crypto";
import { openPostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { openSqliteLog } from "../../src/adapters/event-store/sqlite/log.ts";
import type { AppendRequest } from "../../src/ports/event-store.ts";

/**
 * A process to be killed: appends batches of requests for ever, two at a time, and writes the id of each request on a
 * line of standard output once it is acknowledged, never before. A request's events say which of how many they are.
 *
 *     node append-until-killed.ts sqlite <folder> | postgres <url>
 */
const [, , engine = "", target = ""] = process.argv;
const log = engine === "sqlite" ? await openSqliteLog({ folder: target }) : await openPostgresLog({ url: target });

function newRequest(): AppendRequest & { id: string } {
  const id = randomUUID();
  const of = 1 + Math.floor(Math.random() * 5);
  const events = Array.from({ length: of }, (_, n) => ({
    eventId: randomUUID(),
    type: "InteractionRecorded",
    data: { request: id, n, of, padding: "x".repeat(Math.floor(Math.random() * 2_000)) },
    metadata: { schemaVersion: 1 },
    recordedAt: new Date().toISOString(),
  }));
  return { id, stream: `learner-${Math.floor(Math.random() * 50)}`, expected: "any", events };
}

async function appendForEver(): Promise<never> {
  for (;;) {
    const requests = Array.from({ length: 1 + Math.floor(Math.random() * 20) }, newRequest);
    const results = await log.append(requests);
    const stored = requests.filter((_, i) => results[i]?.status === "appended");
    if (stored.length < requests.length) throw new Error(`refused: ${JSON.stringify(results)}`);
    // To a pipe this is written before it returns.
    process.stdout.write(stored.map((request) => `${request.id}\n`).join(""));
  }
}

await Promise.all([appendForEver(), appendForEver()]);
