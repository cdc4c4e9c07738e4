import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Console } from "../http/server-deps.ts";
import type { Config } from "./config.ts";
import type { Lifecycle } from "./lifecycle.ts";

/** Where bin/build-console.js puts the pages; the build in dist/ has a copy at the same place. */
const pages = fileURLToPath(new URL("../../console/dist", import.meta.url));

/** The console, with the page of BullMQ's queues where there are some. */
export async function openConsole({ jobsRedisUrl: url }: Config, life: Lifecycle): Promise<Console> {
  const folder = existsSync(join(pages, "index.html")) ? pages : null;
  if (url === undefined) return { folder, jobsBoard: null };
  // Heavy to load: only who has queues does.
  const { createJobsBoard } = await import("../adapters/job-queue/board.ts");
  const board = await life.acquire(
    "page of the queues",
    () => createJobsBoard({ url, queues: ["jobs", "replays"] }),
    (opened) => opened.close(),
  );
  return { folder, jobsBoard: board.plugin };
}
