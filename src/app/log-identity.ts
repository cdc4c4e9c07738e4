import type { Feed } from "../ports/feed.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { firstEventId } from "../projections/log-id.ts";

const key = "log";
const firstField = "first";
const lastField = "last";

/**
 * Whether these read models come from this log. "other" where the log's first event is not the one noted, or the last
 * one noted is not there any more: a log that was replaced, or put back from an old backup, would otherwise be answered
 * from what it does not hold, and its new events would be passed over. "unknown": neither has anything.
 */
export async function logIdentity(readModels: ReadModels, feed: Feed): Promise<"same" | "other" | "unknown"> {
  const [row] = await readModels.read([key]);
  const first = row?.fields.get(firstField)?.toString();
  const last = row?.fields.get(lastField)?.toString();
  if (row === undefined || first === undefined || last === undefined) return "unknown";
  return (await firstEventId(feed)) === first && (await eventIdAt(feed, row.version)) === last ? "same" : "other";
}

/** Notes which log these read models come from, and how far it goes now; nothing while it is empty. */
export async function noteLogIdentity(readModels: ReadModels, feed: Feed): Promise<void> {
  const head = await feed.head();
  const first = await firstEventId(feed);
  const last = await eventIdAt(feed, head);
  if (first === null || last === null) return;
  const set = new Map([
    [firstField, Buffer.from(first)],
    [lastField, Buffer.from(last)],
  ]);
  await readModels.write([{ key, from: "older", to: head, set }]);
}

/** null where no event has this position. */
async function eventIdAt(feed: Feed, position: number): Promise<string | null> {
  if (position < 1) return null;
  const [event] = (await feed.read(position - 1, 1)).events;
  return event?.position === position ? event.eventId : null;
}
