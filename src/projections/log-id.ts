import type { Feed } from "../ports/feed.ts";

/**
 * Id of the log's first event: what is kept beside a log is of that log only. null for an empty log. Wherever the log has
 * it: EventStoreDB begins with events of its own, and has gaps between positions.
 */
export async function firstEventId(feed: Pick<Feed, "read">): Promise<string | null> {
  for (let position = 0; ; ) {
    const page = await feed.read(position, 1);
    const [event] = page.events;
    if (event !== undefined || page.atHead) return event?.eventId ?? null;
    position = page.position;
  }
}
