import type { Feed } from "../ports/feed.ts";
import type { ReadModels } from "../ports/read-models.ts";

const key = "log";
const field = "first";

/**
 * Whether these read models come from this log, told by the log's first event. A database that was replaced while the
 * read models stayed would otherwise be answered from what the old one held. "unknown": none of both has anything.
 */
export async function logIdentity(readModels: ReadModels, feed: Feed): Promise<"same" | "other" | "unknown"> {
  const noted = (await readModels.get(key, field))?.toString() ?? null;
  const first = (await feed.read(0, 1)).events[0]?.eventId ?? null;
  if (noted !== null) return noted === first ? "same" : "other";
  return (await readModels.get("live", "view")) === null ? "unknown" : "same";
}

/** Notes which log these read models come from; does nothing while the log is empty, or where it is noted already. */
export async function noteLogIdentity(readModels: ReadModels, feed: Feed): Promise<void> {
  const first = (await feed.read(0, 1)).events[0]?.eventId;
  if (first === undefined) return;
  await readModels.write([{ key, from: 0, to: 1, set: new Map([[field, Buffer.from(first)]]) }]);
}
