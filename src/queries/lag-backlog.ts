import type { StoredEvent } from "../domain/stored-event.ts";
import type { Backlog, Feed, FeedFilter, FeedPage } from "../ports/feed.ts";

/** Whether an event is one of its own. */
export type Owns = (event: StoredEvent) => boolean;

export interface BacklogMember {
  readonly position: number;
  /** Left out: all events that match. */
  readonly owns?: Owns | undefined;
}

/** Events looked at for all members together, and for one of them by itself. */
const pageMax = 1_000;
const ownPageMax = 200;

const nothing: Backlog = { events: 0, oldestRecordedAt: null };

/**
 * What each of them is behind. They share one filter, and stand apart in what they own of it: partitions of learners,
 * which no engine knows. Where a page shows all that is behind, its events are counted; where more is behind, the page is a sample
 * of it, which is said for the oldest first. One count and one page for all, however many there are, and a short page
 * for who stands beyond that one.
 */
export async function readBacklogs(
  feed: Feed,
  filter: FeedFilter | undefined,
  members: readonly BacklogMember[],
): Promise<Backlog[]> {
  const [only] = members;
  if (only === undefined) return [];
  if (members.every(({ owns }) => owns === undefined)) {
    return Promise.all(members.map(({ position }) => feed.behind(position, filter)));
  }
  const low = Math.min(...members.map(({ position }) => position));
  const [head, all] = await Promise.all([feed.head(), feed.behind(low, filter)]);
  if (all.events === 0) return members.map(() => nothing);
  const page = await feed.read(low, pageMax, filter);
  return Promise.all(
    members.map(async (member) => {
      const beyond = !page.atHead && member.position >= page.position;
      const shown = beyond ? await feed.read(member.position, ownPageMax, filter) : page;
      const rest = (all.events * Math.max(0, head - member.position)) / Math.max(1, head - low);
      return backlogOf(member, shown, rest);
    }),
  );
}

/** `rest`: events of all members after this one's position, about. */
export function backlogOf({ position, owns }: BacklogMember, page: FeedPage, rest: number): Backlog {
  const own = page.events.filter((event) => owns === undefined || owns(event));
  const behind = own.filter((event) => event.position > position);
  const [oldest] = behind;
  if (page.atHead) return { events: behind.length, oldestRecordedAt: oldest?.recordedAt ?? null };
  const share = own.length / Math.max(1, page.events.length);
  const events = Math.max(behind.length, Math.round(rest * share));
  // What it owns comes after this page: not older than the page's end.
  const later = events === 0 ? null : (page.events.at(-1)?.recordedAt ?? null);
  return { events, oldestRecordedAt: oldest?.recordedAt ?? later };
}
