import type { Feed, FeedFilter } from "../ports/feed.ts";
import { oneAtATime } from "../projections/one-at-a-time.ts";
import { type Follower, groupsOf, type Lag, type LagDeps, type Standing, standingsOf } from "./lag.ts";
import { createSampleWindow, type SampleWindow, secondsToDrain, stateOf } from "./lag-rates.ts";

export interface LagReading {
  /** Position of the last event of the log. */
  readonly head: number;
  readonly projections: readonly Lag[];
  /** Followers whose position, or what is behind it, could not be read: nothing is said of them. */
  readonly unreadable: readonly string[];
}

export type ReadLag = () => Promise<LagReading>;

export interface LagSampler {
  /**
   * How far each follower is behind and how it moves, over the last minute. Looks at the engines when asked, one look at a time, however
   * many ask: rates are known from the second look on. Rejects where the log does not answer.
   */
  readonly read: ReadLag;
  /** The same with rates over another time, for who looks at another pace: of the same looks, so nothing is asked twice. */
  reader(options: LagReaderOptions): ReadLag;
}

export interface LagReaderOptions {
  /** Rates are measured over so long, where it was asked at least so often. */
  readonly windowMs: number;
  /** What was read so long ago is forgotten: rates begin anew. */
  readonly oldestMs: number;
}

/** New events looked at in one look, to see whose they are: the rest is shared out like these. */
const arrivalsMax = 500;

/** Looks farther apart say nothing of what came in between. */
const oldestMs = 10 * 60_000;

/** What one look found of a follower. */
interface Seen {
  readonly standing: Standing;
  readonly at: number;
  /** Events for it that came in since the count began. */
  readonly arrived: number;
  /** Which count that is: it begins anew with another log, and after a long time without a look. */
  readonly count: number;
}

interface Look extends Pick<LagReading, "head" | "unreadable"> {
  readonly seen: readonly Seen[];
}

/** Memory: 60 samples of each follower, for each reader. */
export function createLagSampler({ feed, clock, followers }: LagDeps): LagSampler {
  const groups = new Map<string, Group>();

  const look = oneAtATime(async (): Promise<Look> => {
    const head = await feed.head();
    const unreadable: string[] = [];
    const looks = Array.from(groupsOf(followers), async ([name, members]) => {
      const group = groups.get(name) ?? createGroup(feed);
      groups.set(name, group);
      try {
        const standings = await standingsOf(feed, clock, members);
        return await group.note(clock.now(), head, standings, members);
      } catch {
        unreadable.push(name);
        return [];
      }
    });
    return { head, seen: (await Promise.all(looks)).flat(), unreadable };
  });

  const reader = (options: LagReaderOptions): ReadLag => createReader(look, options);
  return { read: reader({ windowMs: 60_000, oldestMs }), reader };
}

function createReader(look: () => Promise<Look>, options: LagReaderOptions): ReadLag {
  const windows = new Map<string, { readonly count: number; readonly window: SampleWindow }>();
  let last: { readonly look: Look; readonly reading: LagReading } | null = null;

  function lagOf({ standing, at, arrived, count }: Seen): Lag {
    const name = `${standing.projection} ${standing.partition}`;
    const known = windows.get(name);
    const window = known?.count === count ? known.window : createSampleWindow(options.windowMs, options.oldestMs);
    windows.set(name, { count, window });
    const rates = window.add({ at, arrived, behindEvents: standing.behindEvents });
    const [state, drain] = [stateOf(standing, rates), secondsToDrain(standing, rates)];
    return { ...standing, ...rates, state, secondsToDrain: drain };
  }

  return async () => {
    const found = await look();
    // Several who asked at the same time: one sample.
    if (last?.look === found) return last.reading;
    const { head, unreadable, seen } = found;
    last = { look: found, reading: { head, unreadable, projections: seen.map(lagOf) } };
    return last.reading;
  };
}

interface Group {
  note(now: number, head: number, standings: readonly Standing[], members: readonly Follower[]): Promise<Seen[]>;
}

function createGroup(feed: Feed): Group {
  let seen: { readonly head: number; readonly at: number } | null = null;
  /** By partition. */
  let arrived = new Map<number, number>();
  let count = 0;
  const startedAt = performance.now();

  function add(partition: number, events: number): void {
    const known = arrived.get(partition);
    if (known !== undefined) arrived.set(partition, known + events);
  }

  /** Adds what came into the log since the last look to each one's count. */
  async function countArrivals(head: number, members: readonly Follower[]): Promise<void> {
    const now = performance.now() - startedAt;
    const before = seen;
    seen = { head, at: now };
    // A log that ends earlier than it did is another one; and what came in a long time is not worth counting.
    if (before === null || head < before.head || now - before.at > oldestMs) {
      arrived = new Map();
      count += 1;
      return;
    }
    if (head === before.head) return;
    const filter = members[0]?.filter;
    if (members.every(({ owns }) => owns === undefined)) {
      const all = await countBetween(feed, before.head, head, filter);
      for (const partition of arrived.keys()) add(partition, all);
      return;
    }
    const page = await feed.read(before.head, arrivalsMax, filter);
    const events = page.events.filter(({ position }) => position <= head);
    const whole = page.atHead || page.position >= head;
    const all = whole ? events.length : await countBetween(feed, before.head, head, filter);
    for (const { partition = 0, owns = () => true } of members) {
      const own = events.filter(owns).length;
      if (own > 0) add(partition, (all * own) / events.length);
    }
  }

  return {
    async note(at, head, standings, members) {
      await countArrivals(head, members);
      return standings.map((standing) => {
        const { partition } = standing;
        if (!arrived.has(partition)) arrived.set(partition, 0);
        return { standing, at, arrived: arrived.get(partition) ?? 0, count };
      });
    },
  };
}

async function countBetween(feed: Feed, from: number, to: number, filter: FeedFilter | undefined): Promise<number> {
  const [all, later] = await Promise.all([feed.behind(from, filter), feed.behind(to, filter)]);
  return Math.max(0, all.events - later.events);
}
