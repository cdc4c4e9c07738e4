import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { RedisServers } from "../engines/redis-servers.ts";
import { createDeadline } from "./deadline.ts";
import type { ServerSeen } from "./redis-losses.ts";

/**
 * Asks each master which run of a server it is and what its canaries hold, writing those that are missing. A master that
 * does not answer in time is left out; rejects when none answers.
 */
export async function askServers(servers: RedisServers, timeoutMs: number): Promise<ServerSeen[]> {
  const byMaster = new Map<Redis, string[]>(servers.masters().map((master) => [master, []]));
  for (const canary of servers.canaries) {
    const master = servers.master(canary);
    if (master !== null) byMaster.get(master)?.push(canary);
  }
  const withinTime = createDeadline(timeoutMs, byMaster.size);
  const answers = await Promise.allSettled(Array.from(byMaster, (one) => withinTime(ask(...one))));
  const seen = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const failed = answers.find((answer) => answer.status === "rejected");
  if (seen.length === 0 && failed !== undefined) throw failed.reason;
  return seen;
}

async function ask(master: Redis, canaries: readonly string[]): Promise<ServerSeen> {
  const pipeline = master.pipeline().info("server");
  for (const canary of canaries) pipeline.setnx(canary, randomUUID()).get(canary);
  const [[error, info] = [], ...replies] = (await pipeline.exec()) ?? [];
  if (error != null) throw error;
  const epochs = new Map<string, string>();
  canaries.forEach((canary, at) => {
    // One that has just moved, or cannot be written now, is looked at the next time.
    const [trouble, epoch] = replies[at * 2 + 1] ?? [];
    if (trouble === null && typeof epoch === "string") epochs.set(canary, epoch);
  });
  return { run: /^run_id:(\w+)/m.exec(String(info))?.[1] ?? "", epochs };
}
