import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { createMemoryBlobs } from "../../../src/adapters/blobs/memory.ts";
import { createMemoryLog } from "../../../src/adapters/event-store/memory.ts";
import type { StoredEvent } from "../../../src/domain/stored-event.ts";
import type { Blobs } from "../../../src/ports/blobs.ts";
import type { EventStore, NewEvent } from "../../../src/ports/event-store.ts";
import type { Feed } from "../../../src/ports/feed.ts";

/** Where recorded histories lie: `NAME.ndjson.gz`, never edited once they are there. */
export const historiesFolder = join(import.meta.dirname, "..", "..", "histories");

/** An event as a log of its time gave it out: revision and position follow from its place. */
export type RecordedEvent = Omit<StoredEvent, "revision" | "position">;

/** One line of a history: an event, or a blob that events name. */
type Line =
  | { readonly event: RecordedEvent }
  | { readonly blob: { readonly kind: string; readonly name: string; readonly base64: string } };

export interface OpenedHistory {
  readonly log: EventStore & Feed;
  readonly blobs: Blobs;
  readonly events: readonly RecordedEvent[];
}

export function historyNames(): string[] {
  const files = readdirSync(historiesFolder).filter((name) => name.endsWith(extension));
  return files.map((name) => name.slice(0, -extension.length)).sort();
}

const extension = ".ndjson.gz";

export const historyPath = (name: string): string => join(historiesFolder, `${name}${extension}`);

/** A recorded history in a log in memory, with its blobs. */
export async function openHistory(name: string): Promise<OpenedHistory> {
  const text = gunzipSync(readFileSync(historyPath(name))).toString("utf8");
  const lines = text.split("\n").flatMap((line): Line[] => (line === "" ? [] : [JSON.parse(line)]));
  const log = createMemoryLog();
  const blobs = createMemoryBlobs();
  const events: RecordedEvent[] = [];
  for (const line of lines) {
    if ("blob" in line) {
      const { kind, name: blob, base64 } = line.blob;
      await blobs.put(kind, blob, Buffer.from(base64, "base64"));
      continue;
    }
    const { stream, ...event } = line.event;
    const [result] = await log.append([{ stream, expected: "any", events: [event as NewEvent] }]);
    if (result?.status !== "appended") throw new Error(`${name}: ${stream} ${event.eventId}: ${result?.status}`);
    events.push(line.event);
  }
  return { log, blobs, events };
}

/** A log and its blobs as the bytes of a history file. */
export async function historyBytes(log: Feed, blobs: Blobs, blobKinds: readonly string[]): Promise<Buffer> {
  const lines: Line[] = [];
  for (const kind of blobKinds) {
    for (const name of await blobs.names(kind)) {
      const bytes = await blobs.get(kind, name);
      if (bytes !== null) lines.push({ blob: { kind, name, base64: bytes.toString("base64") } });
    }
  }
  for (let position = 0, atHead = false; !atHead; ) {
    const page = await log.read(position, 1_000);
    for (const { position: _, revision: __, ...event } of page.events) lines.push({ event });
    ({ position, atHead } = page);
  }
  return gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), { level: 9 });
}
