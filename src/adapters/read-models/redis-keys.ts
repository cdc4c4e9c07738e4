import type { Redis } from "ioredis";
import { ReadModelsUnavailable } from "../../ports/read-models.ts";
import type { RedisServers } from "../engines/redis-servers.ts";
import type { Deadline } from "./deadline.ts";
import { fromKey, matchOf } from "./redis-rows.ts";

const scanCount = 1000;
const roundsMax = 20;
const pauseMs = 250;

/**
 * Keys with this prefix of all masters. A key may be shown twice by a scan, and a slot that moves meanwhile may be missed
 * on both servers: then all are scanned again, until nothing has moved.
 */
export async function* listKeys(servers: RedisServers, prefix: string, withinTime: Deadline): AsyncGenerator<string[]> {
  const seen = new Set<string>();
  const match = matchOf(prefix);
  for (let round = 1; ; round += 1) {
    const before = await withinTime(servers.layout());
    for (const master of servers.masters()) yield* scan(master, match, seen, withinTime);
    const after = await withinTime(servers.layout());
    if (before === null || (before.slots === after?.slots && !before.moving)) return;
    if (round === roundsMax) throw new ReadModelsUnavailable("Redis: slots are moving; keys cannot be listed");
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function* scan(master: Redis, match: string, seen: Set<string>, withinTime: Deadline): AsyncGenerator<string[]> {
  let cursor = "0";
  do {
    const [next, found] = await withinTime(master.scan(cursor, "MATCH", match, "COUNT", scanCount));
    cursor = next;
    const page = found.filter((key) => !seen.has(key));
    for (const key of page) seen.add(key);
    if (page.length > 0) yield page.map(fromKey);
  } while (cursor !== "0");
}
