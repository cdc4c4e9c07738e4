import type { Clock } from "../ports/clock.ts";
import type { Backlog, Feed, FeedFilter } from "../ports/feed.ts";
import { type Owns, readBacklogs } from "./lag-backlog.ts";
import type { Behind, LagRates, LagState } from "./lag-rates.ts";

/** Something that follows the log and can say how far it has come. */
export interface Follower {
  /** "learners", "catalogue", "trainer", ... Those of one name share their filter. */
  readonly name: string;
  readonly partition?: number;
  /** What it reads of the log; everything when left out. */
  readonly filter?: FeedFilter;
  /** What of that is this partition's; all of it when left out. */
  readonly owns?: Owns;
  /** Position up to which everything is folded in; null where it never started (which is stale, not caught up). */
  position(): Promise<number | null>;
  /** False while another process does this work: then it says how far it is. */
  here?(): boolean;
}

/** How far one follower is behind the log at a moment. */
export interface Standing extends Behind {
  readonly projection: string;
  readonly partition: number;
  readonly started: boolean;
  readonly position: number;
  /** Its own; estimated where more than a thousand are behind and partitions share the log. */
  readonly behindEvents: number;
  /** Age of the oldest event not folded in yet; 0 where there is none. */
  readonly behindSeconds: number;
}

/** The same, with how it moves. Rates are events a second over the last `rateSeconds`, null while they are not known. */
export interface Lag extends Standing, LagRates {
  readonly state: LagState;
  /** 0 where nothing is behind; null where it will not drain at these rates, or they are not known. */
  readonly secondsToDrain: number | null;
}

export interface LagDeps {
  readonly feed: Feed;
  readonly clock: Clock;
  readonly followers: readonly Follower[];
}

/** How far each follower is behind the log. Rejects where the log or a follower's position cannot be read. */
export async function readStandings({ feed, clock, followers }: LagDeps): Promise<Standing[]> {
  const groups = [...groupsOf(followers).values()];
  return (await Promise.all(groups.map((group) => standingsOf(feed, clock, group)))).flat();
}

/** Those at work here, by name. */
export function groupsOf(followers: readonly Follower[]): Map<string, Follower[]> {
  const groups = new Map<string, Follower[]>();
  for (const follower of followers) {
    if (follower.here?.() === false) continue;
    const group = groups.get(follower.name);
    if (group === undefined) groups.set(follower.name, [follower]);
    else group.push(follower);
  }
  return groups;
}

/** `group`: followers of one name. */
export async function standingsOf(feed: Feed, clock: Clock, group: readonly Follower[]): Promise<Standing[]> {
  const positions = await Promise.all(group.map(({ position }) => position()));
  const members = group.map(({ owns }, at) => ({ position: positions[at] ?? 0, owns }));
  const backlogs = await readBacklogs(feed, group[0]?.filter, members);
  return group.map(({ name, partition = 0 }, at) => {
    const { events, oldestRecordedAt } = backlogs[at] as Backlog;
    const oldest = oldestRecordedAt === null ? null : Date.parse(oldestRecordedAt);
    return {
      projection: name,
      partition,
      started: positions[at] != null,
      position: positions[at] ?? 0,
      behindEvents: events,
      behindSeconds: oldest === null ? 0 : Math.max(0, clock.now() - oldest) / 1000,
    };
  });
}
