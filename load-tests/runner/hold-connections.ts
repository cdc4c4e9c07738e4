import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { RunArguments } from "./arguments.ts";
import type { ConnectionsMessage, ConnectionsOrder } from "./connections.ts";
import type { ConnectionsResult } from "./result.ts";
import type { Target } from "./target.ts";

const program = fileURLToPath(new URL("./connections.ts", import.meta.url));
/** Between two questions of one connection: of 10,000 come 500 a second. */
const everyMs = 20_000;

export interface HeldConnections {
  readonly pid: number;
  /** Closes them, and gives what they saw. Idempotent. */
  stop(): Promise<ConnectionsResult>;
}

/** Resolves when they are open; null where none are wanted. */
export async function holdConnections(
  { connections, load }: Pick<RunArguments, "connections" | "load">,
  target: Target,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<HeldConnections | null> {
  if (connections === 0) return null;
  tell(`opening ${connections} connections`);
  // Not of our process group: Ctrl-C reaches it through us. It ends with the channel to us, however we end.
  const child = fork(program, [], { execArgv: ["--disable-warning=ExperimentalWarning"], detached: true });
  const end = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", end, { once: true });
  const order: ConnectionsOrder = {
    ...{ url: target.queryUrl, key: target.key, connections, users: load.users, everyMs },
  };
  child.send(order);
  const first = await messageOf(child);
  if (first.kind === "held" && first.held < connections) {
    tell(`  only ${first.held} are open: see the limit of open files (ulimit -n)`);
  }
  let stopped: Promise<ConnectionsResult> | null = null;
  return {
    pid: child.pid ?? 0,
    stop() {
      stopped ??= (async () => {
        const last = messageOf(child);
        child.send("stop");
        const message = await last.finally(() => signal.removeEventListener("abort", end));
        if (message.kind !== "result") throw new Error("the connections gave no result");
        return message.result;
      })();
      return stopped;
    },
  };
}

async function messageOf(child: ChildProcess): Promise<ConnectionsMessage> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    const ended = once(child, "exit", { signal }).then(([code]) => {
      throw new Error(`the process that holds the connections ended with ${code}`);
    });
    const [message] = await Promise.race([once(child, "message", { signal }), ended]);
    return message as ConnectionsMessage;
  } finally {
    settled.abort();
  }
}
