import { z } from "zod";
import type { Blobs } from "../ports/blobs.ts";
import type { StreamWriter } from "../ports/event-stream.ts";
import type { Log } from "../ports/log.ts";

/** How far a relay is. */
export interface RelayState {
  /** Everything up to here is in the stream. */
  readonly position: number;
  /** By partition: position of its last event. */
  readonly last: readonly number[];
  /** By partition: how far its last message tells. */
  readonly told: readonly number[];
}

/** Kind of blob under which a relay remembers its position. */
export const relayKind = "relay";
const stateSchema = z.object({ position: z.number().int().min(0), last: z.array(z.number().int().min(0)) });

/** From the beginning of the log where nothing is known. */
export async function loadRelayState(
  blobs: Blobs,
  { name, partitions }: StreamWriter,
  head: number,
  log: Log,
): Promise<RelayState> {
  const told = Array.from({ length: partitions }, () => 0);
  const fresh = { position: 0, last: told, told };
  const bytes = await blobs.get(relayKind, name);
  if (bytes === null) return fresh;
  const { position, last } = stateSchema.parse(JSON.parse(bytes.toString()));
  if (last.length !== partitions || position > head) {
    log.warn({ position, head, partitions }, "what the relay remembers is of another log or topic: it begins anew");
    return fresh;
  }
  return { position, last, told };
}

/** How far the relay of the stream of this name has saved that it is; null where none ever did. */
export async function relayedPosition(blobs: Blobs, name: string): Promise<number | null> {
  const bytes = await blobs.get(relayKind, name);
  return bytes === null ? null : stateSchema.parse(JSON.parse(bytes.toString())).position;
}

/** Only what the stream has acknowledged. */
export async function saveRelayState(blobs: Blobs, { name }: StreamWriter, state: RelayState): Promise<void> {
  const { position, last } = state;
  await blobs.put(relayKind, name, Buffer.from(JSON.stringify({ position, last })));
}
