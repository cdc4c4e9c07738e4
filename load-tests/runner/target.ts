import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postgresUrl } from "../../infra/local/engines.ts";
import { rolesOf } from "../../infra/local/roles.ts";
import { missingFor, startAll, stopAll, type Tell } from "../../infra/local/stack.ts";
import { type Piece, type Size, stackFolder } from "../../infra/local/state.ts";

/** The system under test, and where to look while it works. */
export interface Target {
  readonly what: string;
  readonly commandUrl: string;
  readonly queryUrl: string;
  readonly key: string;
  /** Processes of Proximal by role, with the address of their metrics. */
  readonly roles: readonly { readonly name: string; readonly url: string }[];
  /** Everything that was started, engines too; empty for a system that ran before. */
  readonly pieces: readonly Piece[];
  readonly postgres: string | null;
  readonly redis: readonly { readonly name: string; readonly port: number }[];
  stop(): Promise<void>;
}

/** The stack of `npm run up`, in a folder of its own that is removed with it. Throws, in one line, what is not installed. */
export async function startTarget(size: Size, tell: Tell, signal: AbortSignal): Promise<Target> {
  const missing = await missingFor(size);
  if (missing.length > 0) throw new Error(`not installed here: ${missing.join(", ")}`);
  const place = await mkdtemp(join(tmpdir(), "proximal-load-"));
  // PostgreSQL may run as another user, which has to get through.
  await chmod(place, 0o711);
  const folder = stackFolder(join(place, "stack"));
  const stop = async (): Promise<void> => {
    const state = await folder.read();
    if (state !== null) await stopAll(folder, state, () => {});
    await rm(place, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const { ports, pieces, key, password } = await startAll(folder, size, tell, signal);
    const url = (name: string): string => `http://127.0.0.1:${ports[name]}`;
    return {
      what: `npm run up, ${size}`,
      commandUrl: url(size === "small" ? "all" : "api"),
      queryUrl: url(size === "small" ? "all" : "query"),
      key: key ?? "",
      roles: rolesOf[size].map((name) => ({ name, url: url(name) })),
      pieces,
      postgres: postgresUrl(ports.postgres ?? 0, password),
      redis: pieces.filter(({ name }) => name.startsWith("redis")).map(({ name, port }) => ({ name, port })),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A system that runs already, on this machine: only its own metrics are read. */
export function runningTarget(url: string, queryUrl: string, key: string): Target {
  for (const one of [url, queryUrl]) {
    const { hostname } = new URL(one);
    if (!/^(127(\.\d{1,3}){3}|localhost|\[::1\])$/.test(hostname)) {
      throw new Error(`${one} is another machine: load goes to this one only (127.0.0.0/8, localhost, [::1])`);
    }
  }
  const roles =
    url === queryUrl
      ? [{ name: "all", url }]
      : [
          { name: "api", url },
          { name: "query", url: queryUrl },
        ];
  return {
    ...{ what: url, commandUrl: url, queryUrl, key, roles },
    ...{ pieces: [], postgres: null, redis: [] },
    stop: async () => {},
  };
}
