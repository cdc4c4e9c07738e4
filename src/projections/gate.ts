import type { Feed, FeedPage } from "../ports/feed.ts";

/** Feeds of one log that can be made to end at a position for a while. */
export interface Gate {
  readonly feed: Feed;
  /** The same, read otherwise. */
  over(feed: Feed): Feed;
  /** What stands after the position is not handed out until {@link release}; a read under way may still pass. */
  hold(position: number): void;
  release(): void;
}

export function createGate(feed: Feed): Gate {
  let bound = Number.POSITIVE_INFINITY;
  const held = new Set<() => void>();
  function over(feed: Feed): Feed {
    return {
      async read(after, limit, filter) {
        if (after >= bound) return { events: [], position: after, atHead: true };
        return cut(await feed.read(after, limit, filter), Math.max(after, bound));
      },
      waitForMore(after, timeoutMs, signal) {
        if (after < bound) return feed.waitForMore(after, timeoutMs, signal);
        return new Promise((resolve) => {
          const wake = (): void => {
            clearTimeout(timer);
            held.delete(wake);
            signal.removeEventListener("abort", wake);
            resolve();
          };
          const timer = setTimeout(wake, timeoutMs);
          held.add(wake);
          signal.addEventListener("abort", wake);
          if (signal.aborted) wake();
        });
      },
      head: () => feed.head(),
      behind: (after, filter) => feed.behind(after, filter),
    };
  }
  return {
    hold(position) {
      bound = position;
    },
    release() {
      bound = Number.POSITIVE_INFINITY;
      for (const wake of held) wake();
    },
    feed: over(feed),
    over,
  };
}

function cut(page: FeedPage, bound: number): FeedPage {
  if (page.position <= bound) return page;
  return { events: page.events.filter((event) => event.position <= bound), position: bound, atHead: true };
}
