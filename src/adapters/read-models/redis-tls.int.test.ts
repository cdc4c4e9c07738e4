import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { makeCertificates } from "../../../test/support/certificates.ts";
import { orSkip } from "../../../test/support/engines.ts";
import { temporaryFolder } from "../../../test/support/folders.ts";
import { findProgram, freePort, startServer, untilReady } from "../../../test/support/servers.ts";

/** Servers that speak TLS and nothing else; the client trusts their authority by NODE_EXTRA_CA_CERTS, in a process of its own. */
const program = findProgram("redis-server") ?? orSkip({ skip: "Redis is not installed (no redis-server in PATH)" });
const useRedis = new URL("../../../test/support/use-redis.ts", import.meta.url).pathname;
const folder = temporaryFolder();
const certificates = program === null ? null : await makeCertificates(folder);
const ca = certificates?.ca ?? "";

async function start(name: string, args: (tls: readonly string[], port: number) => readonly string[]): Promise<number> {
  const port = await freePort();
  const { server: own } = certificates ?? { server: { cert: "", key: "" } };
  const files = ["--tls-cert-file", own.cert, "--tls-key-file", own.key, "--tls-ca-cert-file", ca];
  const tls = [
    "--port",
    "0",
    "--tls-port",
    String(port),
    ...files,
    "--tls-auth-clients",
    "no",
    "--tls-replication",
    "yes",
  ];
  const server = startServer(program ?? "", [...args(tls, port)], join(folder, name), "SIGTERM", { cwd: folder });
  afterAll(() => server.stop());
  await untilReady(server, async () => void (await ask(port, "ping")));
  return port;
}

async function ask(port: number, ...command: readonly string[]): Promise<unknown> {
  const [name = "", ...args] = command;
  const tls = { ca: readFileSync(ca, "utf8") };
  const redis = new Redis({ host: "127.0.0.1", port, tls, lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => {});
  try {
    await redis.connect();
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

const plain = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];

const used = (url: string, { trusted = ca, jobs = [] as string[] } = {}) =>
  promisify(execFile)(process.execPath, ["--disable-warning=ExperimentalWarning", useRedis, url, ...jobs], {
    env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: trusted },
    timeout: 30_000,
  });

describe.skipIf(program === null)("read models in a Redis that speaks TLS only", () => {
  test("one server: a row is written and read; who does not trust its authority gets no connection", async () => {
    const port = await start("single", (tls) => [...plain, ...tls]);
    expect((await used(`rediss://127.0.0.1:${port}`)).stdout).toBe("7 known\n");
    await expect(used(`rediss://127.0.0.1:${port}`, { trusted: "" })).rejects.toThrow(/Redis cannot be reached/);
  });

  test("Cluster: by TLS to the nodes that the cluster names", async () => {
    const port = await start("cluster", (tls) => [
      ...[...plain, ...tls, "--cluster-enabled", "yes", "--tls-cluster", "yes"],
      ...["--cluster-config-file", join(folder, "nodes.conf"), "--cluster-announce-ip", "127.0.0.1"],
    ]);
    await ask(port, "cluster", "addslotsrange", "0", "16383");
    await expect.poll(() => ask(port, "cluster", "info"), { timeout: 30_000 }).toContain("cluster_state:ok");
    expect((await used(`rediss+cluster://127.0.0.1:${port}`)).stdout).toBe("7 known\n");
  });

  test("Sentinel: by TLS to the sentinel, and to the master that it names, for rows and for jobs", async () => {
    const master = await start("master", (tls) => [...plain, ...tls]);
    await start("copy", (tls) => [...plain, ...tls, "--replicaof", `127.0.0.1 ${master}`]);
    await expect.poll(() => ask(master, "info", "replication"), { timeout: 30_000 }).toContain("connected_slaves:1");
    const config = join(folder, "sentinel.conf");
    writeFileSync(config, `dir ${folder}\nsentinel monitor rows 127.0.0.1 ${master} 1\n`);
    const sentinel = await start("sentinel", (tls) => [config, "--sentinel", "--bind", "127.0.0.1", ...tls]);
    const { stdout } = await used(`rediss+sentinel://127.0.0.1:${sentinel}/rows`, { jobs: ["jobs"] });
    expect(stdout).toBe("7 known\n1\n");
  });
});
