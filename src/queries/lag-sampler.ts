import type { Feed, FeedFilter } from "../ports/feed.ts";
import { type Follower, groupsOf, type Lag, type LagDeps, type Standing, standingsOf } from "./lag.ts";
import { createSampleWindow, type SampleWindow, secondsToDrain, stateOf } from "./lag-rates.ts";
import { oneAtATime } from "./one-at-a-time.ts";

export interface LagReading {
  /** Position of the last event of the log. */
  readonly head: number;
  readonly projections: readonly Lag[];
  /** Followers whose position, or what is behind it, could not be read: nothing is said of them. */
  readonly unreadable: readonly string[];
}

export interface LagSampler {
  /**
   * How far each follower is behind and how it moves. Looks at the engines when asked, one look at a time: rates are
   * known from the second look on. Rejects where the log does not answer.
   */
  read(): Promise<LagReading>;
}

export interface LagSamplerOptions {
  /** Rates are measured over so long, where it was asked at least so often. */
  readonly windowMs?: number;
  /** A look so long ago is forgotten: rates begin anew. */
  readonly oldestMs?: number;
}

/** New events looked at in one look, to see whose they are: the rest is shared out like these. */
const arrivalsMax = 500;

/** Memory: 60 samples of each follower. */
export function createLagSampler({ feed, clock, followers }: LagDeps, options: LagSamplerOptions = {}): LagSampler {
  const { windowMs = 60_000, oldestMs = 10 * 60_000 } = options;
  const groups = new Map<string, Group>();

  async function look(): Promise<LagReading> {
    const head = await feed.head();
    const unreadable: string[] = [];
    const looks = Array.from(groupsOf(followers), async ([name, members]) => {
      const group = groups.get(name) ?? createGroup(feed, windowMs, oldestMs);
      groups.set(name, group);
      try {
        const standings = await standingsOf(feed, clock, members);
        return await group.note(clock.now(), head, standings, members);
      } catch {
        unreadable.push(name);
        return [];
      }
    });
    return { head, projections: (await Promise.all(looks)).flat(), unreadable };
  }

  return { read: oneAtATime(look) };
}

interface Group {
  note(now: number, head: number, standings: readonly Standing[], members: readonly Follower[]): Promise<Lag[]>;
}

interface Followed {
  readonly window: SampleWindow;
  arrived: number;
}

function createGroup(feed: Feed, windowMs: number, oldestMs: number): Group {
  let seen: { readonly head: number; readonly at: number } | null = null;
  let followed = new Map<number, Followed>();
  const startedAt = performance.now();
  const newOne = (): Followed => ({ window: createSampleWindow(windowMs, oldestMs), arrived: 0 });

  /** Adds what came into the log since the last look to each one's count. */
  async function countArrivals(head: number, members: readonly Follower[]): Promise<void> {
    const now = performance.now() - startedAt;
    const before = seen;
    seen = { head, at: now };
    // A log that ends earlier than it did is another one; and what came in a long time is not worth counting.
    if (before === null || head < before.head || now - before.at > oldestMs) {
      followed = new Map();
      return;
    }
    if (head === before.head) return;
    const filter = members[0]?.filter;
    if (members.every(({ owns }) => owns === undefined)) {
      const all = await countBetween(feed, before.head, head, filter);
      for (const one of followed.values()) one.arrived += all;
      return;
    }
    const page = await feed.read(before.head, arrivalsMax, filter);
    const events = page.events.filter(({ position }) => position <= head);
    const whole = page.atHead || page.position >= head;
    const all = whole ? events.length : await countBetween(feed, before.head, head, filter);
    for (const { partition = 0, owns = () => true } of members) {
      const own = events.filter(owns).length;
      const one = followed.get(partition);
      if (one !== undefined && own > 0) one.arrived += (all * own) / events.length;
    }
  }

  return {
    async note(at, head, standings, members) {
      await countArrivals(head, members);
      return standings.map((standing) => {
        const one = followed.get(standing.partition) ?? newOne();
        followed.set(standing.partition, one);
        const rates = one.window.add({ at, arrived: one.arrived, behindEvents: standing.behindEvents });
        return {
          ...standing,
          ...rates,
          state: stateOf(standing, rates),
          secondsToDrain: secondsToDrain(standing, rates),
        };
      });
    },
  };
}

async function countBetween(feed: Feed, from: number, to: number, filter: FeedFilter | undefined): Promise<number> {
  const [all, later] = await Promise.all([feed.behind(from, filter), feed.behind(to, filter)]);
  return Math.max(0, all.events - later.events);
}
