import { type RedisServer, startRedis } from "./redis.ts";
import { ask, until } from "./redis-sentinel.ts";
import { freePort, type Skip } from "./servers.ts";

export interface RedisCluster {
  /** `redis+cluster://…` of all nodes. */
  readonly url: string;
  /** The nodes; the first three were made masters, the others copies of them, in order. */
  readonly servers: readonly RedisServer[];
  /** The node that takes writes of the slot, as most nodes that answer say. */
  owner(slot: number): Promise<RedisServer>;
  idOf(server: RedisServer): Promise<string>;
  /** Resolves once every node that answers knows three masters for all slots, and so many copies follow them. */
  settled(copies?: number): Promise<void>;
  /** Starts a node that was killed again, on its port, with what it knew of the cluster. */
  restart(server: RedisServer): Promise<void>;
  stop(): Promise<void>;
}

export const nodeTimeoutMs = 2000;
const slotsOfMasters = [[0, 5460] as const, [5461, 10_922] as const, [10_923, 16_383] as const];

/** Three masters and a copy of each on 127.0.0.1, with fast settings. */
export async function startRedisCluster(): Promise<RedisCluster | Skip> {
  const servers: RedisServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const cluster: RedisCluster = {
    get url() {
      return `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
    },
    servers,
    async owner(slot) {
      const views = await Promise.all(servers.map(({ port }) => slotsSeenBy(port).catch(() => null)));
      const ports = views.flatMap((view) => view?.find(([from, to]) => from <= slot && slot <= to)?.[2]?.[1] ?? []);
      const most = ports.sort((a, b) => countOf(ports, b) - countOf(ports, a))[0];
      const server = servers.find(({ port }) => port === most);
      if (server === undefined) throw new Error(`nobody owns slot ${slot}`);
      return server;
    },
    idOf: async ({ port }) => String(await ask(port, ["cluster", "myid"])),
    settled: (copies = 3) => until(() => check(servers, copies)),
    async restart(server) {
      // What a node knows of the cluster is in its folder.
      await server.stop({ keepFolder: true });
      const again = await startNode(server.port, server.folder);
      if ("skip" in again) throw new Error(again.skip);
      servers[servers.indexOf(server)] = again;
    },
    stop,
  };
  try {
    for (let at = 0; at < 6; at += 1) {
      const server = await startNode(await portWithBus());
      if ("skip" in server) return server;
      servers.push(server);
    }
    await join(servers);
    await cluster.settled();
    return cluster;
  } catch (error) {
    await stop();
    throw error;
  }
}

function startNode(port: number, folder?: string): Promise<RedisServer | Skip> {
  const settings = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": String(nodeTimeoutMs),
    "cluster-require-full-coverage": "no",
    "cluster-allow-reads-when-down": "yes",
    // A copy whose link to the master broke long ago may still be elected: rows are repaired from the log.
    "cluster-replica-validity-factor": "0",
    "repl-diskless-sync-delay": "0",
    "repl-ping-replica-period": "1",
  };
  return startRedis({ port, settings, ...(folder === undefined ? {} : { folder }) });
}

/** Nodes talk to each other on their port + 10,000. */
async function portWithBus(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port < 55_000) return port;
  }
}

async function join(servers: readonly RedisServer[]): Promise<void> {
  const masters = servers.slice(0, 3);
  await Promise.all(
    masters.map(({ port }, at) => ask(port, ["cluster", "addslotsrange", ...(slotsOfMasters[at] ?? [])])),
  );
  await Promise.all(servers.map(({ port }, at) => ask(port, ["cluster", "set-config-epoch", at + 1])));
  const first = servers[0]?.port ?? 0;
  await Promise.all(servers.slice(1).map(({ port }) => ask(port, ["cluster", "meet", "127.0.0.1", first])));
  for (const [at, master] of masters.entries()) {
    const copy = servers[at + 3];
    if (copy === undefined) throw new Error("no copy");
    const id = String(await ask(master.port, ["cluster", "myid"]));
    await until(async () => void (await ask(copy.port, ["cluster", "replicate", id])));
  }
}

type SlotRange = [from: number, to: number, ...nodes: [host: string, port: number, id: string][]];
const slotsSeenBy = async (port: number): Promise<SlotRange[]> =>
  (await ask(port, ["cluster", "slots"])) as SlotRange[];

async function check(servers: readonly RedisServer[], copies: number): Promise<void> {
  const views = await Promise.allSettled(servers.map(({ port }) => slotsSeenBy(port)));
  const seen = views.flatMap((view) => (view.status === "fulfilled" ? [view.value] : []));
  if (seen.length < 3 + copies) throw new Error(`${seen.length} nodes answer`);
  for (const view of seen) {
    const slots = view.reduce((sum, [from, to]) => sum + to - from + 1, 0);
    if (slots !== 16_384) throw new Error(`${slots} slots have an owner`);
    if (new Set(view.map(([, , master]) => master?.[1])).size !== 3) throw new Error("not three masters");
    const others = new Set(view.flatMap(([, , , ...rest]) => rest.map(([, port]) => port)));
    if (others.size < copies) throw new Error(`${others.size} copies`);
  }
  const roles = await Promise.all(
    seen[0]?.map(async ([, , master]) => (await ask(master?.[1] ?? 0, ["info", "replication"])) as string) ?? [],
  );
  const online = roles.join("\n").match(/state=online/g)?.length ?? 0;
  const ranges = new Set(seen[0]?.map(([, , master]) => master?.[1])).size;
  if (ranges === 3 && online < copies) throw new Error(`${online} copies follow`);
  const states = await Promise.all(
    servers.map(async ({ port }) => String(await ask(port, ["cluster", "info"]).catch(() => "cluster_state:ok"))),
  );
  if (states.some((state) => !state.includes("cluster_state:ok"))) throw new Error("a node calls the cluster down");
}

const countOf = (all: readonly number[], one: number): number => all.filter((other) => other === one).length;
