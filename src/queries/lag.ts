import type { Clock } from "../ports/clock.ts";
import type { Feed, FeedFilter } from "../ports/feed.ts";

/** Something that follows the log and can say how far it has come. */
export interface Follower {
  /** "learners", "catalogue", "trainer", ... */
  readonly name: string;
  readonly partition?: number;
  /** What it reads of the log; everything when left out. */
  readonly filter?: FeedFilter;
  /** Position up to which everything is folded in; null where it never started (which is stale, not caught up). */
  position(): Promise<number | null>;
  /** False while another process does this work: then it says how far it is. */
  here?(): boolean;
}

export interface Lag {
  readonly projection: string;
  readonly partition: number;
  readonly started: boolean;
  readonly position: number;
  readonly behindEvents: number;
  /** Age of the oldest event not folded in yet; 0 where there is none. */
  readonly behindSeconds: number;
}

export interface LagDeps {
  readonly feed: Feed;
  readonly clock: Clock;
  readonly followers: readonly Follower[];
}

/** How far each follower is behind the log. Rejects where the log or a follower's position cannot be read. */
export function readLag({ feed, clock, followers }: LagDeps): Promise<Lag[]> {
  return Promise.all(
    followers
      .filter(({ here }) => here?.() !== false)
      .map(async ({ name, partition = 0, filter, position }) => {
        const at = await position();
        const backlog = await feed.behind(at ?? 0, filter);
        const oldest = backlog.oldestRecordedAt === null ? null : Date.parse(backlog.oldestRecordedAt);
        return {
          projection: name,
          partition,
          started: at !== null,
          position: at ?? 0,
          behindEvents: backlog.events,
          behindSeconds: oldest === null ? 0 : Math.max(0, clock.now() - oldest) / 1000,
        };
      }),
  );
}
