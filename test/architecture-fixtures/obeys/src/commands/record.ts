import { randomUUID } from "node:crypto";
import type { Feed } from "../ports/feed.ts";

export const record = async (feed: Feed): Promise<string> => `${await feed.head()} ${randomUUID()}`;
