import { connect, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { privateRedis, sharedPostgres } from "../support/engines.ts";
import { freePort } from "../support/servers.ts";
import { serviceHere } from "../support/service.ts";

/** A start waits for its engines at every point of it, not only where it connects: whatever is cut off is tried again. */
const postgres = await sharedPostgres();
const redis = await privateRedis({ settings: { "maxmemory-policy": "noeviction", databases: "64" } });
let database = 0;

/**
 * A line that cuts the n-th connection after n answers of the server, so that a start is cut off at one point after another; the ones after
 * `connections` stand. `refusing`: the first few are refused outright.
 */
async function cuttingLine(url: string, connections: number, refusing: number) {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let made = 0;
  const server = createServer({ noDelay: true }, (near) => {
    made += 1;
    const answersLeft = made > connections ? Number.POSITIVE_INFINITY : made - refusing;
    near.on("error", () => undefined);
    if (answersLeft <= 0) return void near.resetAndDestroy();
    const far = connect({ host: target.hostname, port: Number(target.port), noDelay: true });
    far.on("error", () => undefined);
    let answers = 0;
    far.on("data", (chunk) => {
      near.write(chunk);
      answers += 1;
      if (answers < answersLeft) return;
      near.resetAndDestroy();
      far.destroy();
    });
    near.on("data", (chunk) => far.write(chunk));
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    }
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const line = new URL(url);
  line.host = `127.0.0.1:${port}`;
  return { url: line.href, made: () => made };
}

const roles = ["projector", "jobs", "query", "api", "trainer", "all"] as const;

describe.skipIf(postgres === null || redis === null)("a start whose engines cut it off again and again", () => {
  test.each(roles)("comes to its end: role %s", { timeout: 180_000 }, async (role) => {
    if (postgres === null || redis === null) throw new Error("skipped without them");
    const databaseUrl = await postgres.createDatabase();
    database += 2;
    const lines = {
      DATABASE_URL: await cuttingLine(databaseUrl, 14, 2),
      REDIS_URL: await cuttingLine(`${redis.url}/${database}`, 14, 2),
      JOBS_REDIS_URL: await cuttingLine(`${redis.url}/${database + 1}`, 14, 2),
    };
    const urls = Object.fromEntries(Object.entries(lines).map(([name, { url }]) => [name, url]));
    const service = await serviceHere({ ...urls, PROXIMAL_ROLE: role, PROXIMAL_START_TIMEOUT_S: "100" });
    const waits = service.lines.filter(({ msg }) => String(msg).startsWith("waiting for "));
    expect(waits.length).toBeGreaterThan(0);
    expect((await service.call("/healthz")).status).toBe(200);
    // What stands now works: all connections that are cut have been.
    await expect
      .poll(async () => (await service.call("/readyz?exclude=projections")).status, { timeout: 60_000 })
      .toBe(200);
    await service.stop();
  });
});
