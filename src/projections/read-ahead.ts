import type { Feed, FeedFilter, FeedPage } from "../ports/feed.ts";

/**
 * Several readers go through a log side by side on one read of each page, and the next page is read while they work on
 * this one. A reader that fell far behind reads for itself. Readers with different filters share nothing.
 * `pagesKept`: for those who are not as far yet, beside the one being read.
 */
export function createReadAhead(feed: Feed, pagesKept = 4): Feed {
  const pages = new Map<string, Promise<FeedPage>>();

  function read(after: number, limit: number, filter: FeedFilter | undefined): Promise<FeedPage> {
    const key = keyOf(after, limit, filter);
    const known = pages.get(key);
    if (known !== undefined) return known;
    const page = feed.read(after, limit, filter);
    pages.set(key, page);
    for (const oldest of pages.keys()) {
      if (pages.size <= pagesKept + 1) break;
      pages.delete(oldest);
    }
    // What failed, and what ended at the head, is another thing the next time.
    page.then(
      ({ atHead }) => atHead && pages.delete(key),
      () => pages.delete(key),
    );
    return page;
  }

  return {
    async read(after, limit, filter) {
      const begun = pages.has(keyOf(after, limit, filter));
      let page = await read(after, limit, filter);
      // The head it ended at is that of when its reading began: whoever asks now is told of the head of now.
      if (begun && page.atHead) page = await feed.read(after, limit, filter);
      // Its failure is for whoever comes to need it.
      if (!page.atHead) read(page.position, limit, filter).catch(() => undefined);
      return page;
    },
    waitForMore: (after, timeoutMs, signal) => feed.waitForMore(after, timeoutMs, signal),
    head: () => feed.head(),
    behind: (after, filter) => feed.behind(after, filter),
  };
}

const keyOf = (after: number, limit: number, filter: FeedFilter | undefined): string =>
  JSON.stringify([after, limit, filter?.categories, filter?.types, filter?.parseLate]);
