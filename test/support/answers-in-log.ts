import { createHash } from "node:crypto";
import { currentSchemaVersion, type InteractionRecorded } from "../../src/domain/events.ts";
import { learnerStream } from "../../src/domain/streams.ts";
import type { EventStore, NewEvent } from "../../src/ports/event-store.ts";
import type { Log } from "../../src/ports/log.ts";

/** The n-th answer of a made-up class of 12 learners on 30 items of 6 skills: the same n gives the same answer. */
export function madeUpAnswer(n: number): InteractionRecorded {
  const hash = createHash("sha256").update(`answer ${n}`).digest();
  const learner = hash.readUInt16LE(0) % 12;
  const item = hash.readUInt16LE(2) % 30;
  const chance = 1 / (1 + Math.exp(item / 8 - learner / 6));
  return {
    interactionId: `a${n}`,
    learnerId: `learner${learner}`,
    itemId: `item${item}`,
    kind: "answer",
    skillIds: item % 5 === 0 ? [`skill${item % 6}`, `skill${(item + 1) % 6}`] : [`skill${item % 6}`],
    correct: hash.readUInt32LE(4) / 2 ** 32 < chance,
    occurredAt: new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString(),
  };
}

export function interactionEvent(data: object, key: string): NewEvent {
  const hash = createHash("sha256").update(key).digest("hex");
  return {
    eventId: [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, "8000", hash.slice(20, 32)].join("-"),
    type: "InteractionRecorded",
    data,
    metadata: { schemaVersion: currentSchemaVersion },
    recordedAt: new Date(Date.UTC(2026, 0, 1)).toISOString(),
  };
}

/** Appends made-up answers number `from` to `to - 1`, in order. */
export async function appendAnswers(store: EventStore, from: number, to: number): Promise<void> {
  const requests = [];
  for (let n = from; n < to; n++) {
    const data = madeUpAnswer(n);
    const events = [interactionEvent(data, data.interactionId)];
    requests.push({ stream: learnerStream(data.learnerId), expected: "any" as const, events });
  }
  await store.append(requests);
}

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

/** A log that keeps its lines. */
export function keepingLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
