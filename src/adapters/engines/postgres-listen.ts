import pg from "pg";
import { connectionOptions, type PoolOptions } from "./postgres-pool.ts";
import { endSession, isPooled, runScript } from "./postgres-session.ts";

const reconnectMs = { first: 100, max: 5_000 };

/** See Sql.listen. `onPooled` is told, once, that notifications cannot be had this way. */
export async function listen(
  options: Pick<PoolOptions, "url" | "connectTimeoutMs" | "applicationName">,
  channel: string,
  on: { notify(payload: string): void; connected(): void; pooled(): void },
): Promise<() => Promise<void>> {
  let client: pg.Client | null = null;
  let retry: NodeJS.Timeout | null = null;
  let delayMs = reconnectMs.first;
  let closed = false;

  async function connect(): Promise<void> {
    const next = new pg.Client(connectionOptions(options));
    client = next;
    let ended = false;
    const lost = () => {
      if (ended) return;
      ended = true;
      next.end().catch(() => {});
      if (!closed) retryLater();
    };
    next.on("error", lost);
    next.on("end", lost);
    next.on("notification", (message) => on.notify(message.payload ?? ""));
    try {
      await next.connect();
      if (await isPooled(next, options.connectTimeoutMs)) {
        closed = true;
        lost();
        return on.pooled();
      }
      await runScript(next, `LISTEN ${pg.escapeIdentifier(channel)}`, options.connectTimeoutMs);
    } catch {
      lost();
      return;
    }
    if (closed) return lost();
    delayMs = reconnectMs.first;
    on.connected();
  }

  function retryLater(): void {
    retry = setTimeout(() => void connect(), delayMs);
    delayMs = Math.min(delayMs * 2, reconnectMs.max);
  }

  await connect();
  return async () => {
    closed = true;
    if (retry !== null) clearTimeout(retry);
    if (client !== null) await endSession(client);
  };
}
