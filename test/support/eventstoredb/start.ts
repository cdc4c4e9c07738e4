import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { killAtProcessEnd } from "../process-end.ts";
import type { Faults, Order, Stats } from "./faults.ts";

const script = fileURLToPath(new URL("./server.ts", import.meta.url));

export interface TestServerOptions {
  /** Ports over one log, which is what clients see of a cluster. 1 when left out. */
  readonly nodes?: number;
  /** Whether the server offers BatchAppend. */
  readonly batches?: boolean;
  /** Files of a key and a certificate for 127.0.0.1: TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface TestServer {
  /** Of the first node. */
  readonly url: string;
  /** Of all nodes: the client asks them who leads. */
  readonly clusterUrl: string;
  readonly ports: readonly number[];
  readonly pid: number;
  set(faults: Partial<Faults>): Promise<Stats>;
  order(order: Order): Promise<Stats>;
  stats(): Promise<Stats>;
  /** SIGSTOP and SIGCONT: it hangs, connections stay open. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL. */
  stop(): Promise<void>;
}

/** Starts a server in a process of its own: the client's stubs do not bear a second user in one. */
export async function startEventStoreDb(options: TestServerOptions = {}): Promise<TestServer> {
  const { nodes = 1, batches = true, tls } = options;
  const args = [String(nodes), batches ? "on" : "off", ...(tls === undefined ? [] : [tls.key, tls.cert])];
  const execArgv = ["--disable-warning=ExperimentalWarning"];
  const child: ChildProcess = fork(script, args, { execArgv, stdio: ["ignore", "ignore", "pipe", "ipc"] });
  killAtProcessEnd(child);
  let complaint = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk).slice(-5_000);
  });
  const waiting = new Map<number, { resolve: (stats: Stats) => void; reject: (error: Error) => void }>();
  child.on("message", ({ id, stats }: { id: number; stats: Stats }) => {
    waiting.get(id)?.resolve(stats);
    waiting.delete(id);
  });
  const closed = new Promise<void>((resolve) => child.on("close", () => resolve()));
  void closed.then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`the test server ended: ${complaint}`));
  });
  let last = 0;
  const order = (given: Order): Promise<Stats> =>
    new Promise((resolve, reject) => {
      if (!child.connected) return reject(new Error(`the test server ended: ${complaint}`));
      waiting.set(++last, { resolve, reject });
      child.send({ id: last, order: given });
    });
  const started = await new Promise<Stats>((resolve, reject) => waiting.set(0, { resolve, reject }));
  const host = (port: number) => `127.0.0.1:${port}`;
  const query = tls === undefined ? "tls=false" : `tls=true&tlsCAFile=${tls.cert}`;
  return {
    url: `esdb://${host(started.ports[0] ?? 0)}?${query}`,
    clusterUrl: `esdb://${started.ports.map(host).join(",")}?${query}`,
    ports: started.ports,
    pid: child.pid ?? 0,
    set: (faults) => order({ do: "set", faults }),
    order,
    stats: () => order({ do: "stats" }),
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async stop() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
