import { randomUUID } from "node:crypto";
import type { AppendRequest, EventStore } from "../src/ports/event-store.ts";

/*
 * Logs that the measure-*.ts scripts write without the API.
 */

/** One event to be appended, as if it had been at `at` (milliseconds since 1970). */
export function eventAt(stream: string, type: string, data: object, at: number): AppendRequest {
  const event = { eventId: randomUUID(), type, data, metadata: { schemaVersion: 1 } };
  return { stream, expected: "any", events: [{ ...event, recordedAt: new Date(at).toISOString() }] };
}

export interface Catalogue {
  readonly skills: readonly { readonly skillId: string }[];
  readonly items: readonly { readonly itemId: string }[];
}

/** Events that publish a catalogue, all at one time. */
export const catalogueAt = ({ skills, items }: Catalogue, at: number): AppendRequest[] => [
  ...skills.map((data) => eventAt(`skill-${data.skillId}`, "SkillDefined", data, at)),
  ...items.map((data) => eventAt(`item-${data.itemId}`, "ItemPublished", data, at)),
];

const batch = 2_000;

/** Appends them in batches, without holding all of them. */
export async function appendAll(
  log: Pick<EventStore, "append">,
  requests: Iterable<AppendRequest> | AsyncIterable<AppendRequest>,
): Promise<void> {
  let open: AppendRequest[] = [];
  for await (const request of requests) {
    open.push(request);
    if (open.length < batch) continue;
    await log.append(open);
    open = [];
  }
  if (open.length > 0) await log.append(open);
}
