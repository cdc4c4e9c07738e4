import { readFile } from "node:fs/promises";
import { open } from "./redis.ts";
import type { Feed } from "../../ports/feed.ts";
import "../../app/compose.ts";

export const all = [open, readFile] satisfies unknown[];
export type F = Feed;
