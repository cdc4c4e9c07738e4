import type { Feed } from "../ports/feed.ts";

export type Fold = (feed: Feed) => number;
