import { connect, createServer, type Socket } from "node:net";
import { freePort } from "./servers.ts";

/** A TCP line to a server that can be slow, fall silent, be cut, or lead to another server. */
export interface FaultLine {
  /** The server's URL, with the line's address in it. */
  readonly url: string;
  readonly port: number;
  /** From now on every byte takes so long, each way; 0: none. */
  slow(delayMs: number): void;
  /** Connections that stand fall silent: nothing arrives, nothing is closed. New ones work, unless `forNewOnes` too. */
  goSilent(forNewOnes?: boolean): void;
  /** Connections that stand are reset; new ones work. */
  reset(): void;
  /** Connections that stand are reset, and new ones at once, until it is mended. */
  cut(): void;
  /** New connections work again; those that fell silent stay so. */
  mend(): void;
  /** New connections lead to the server of this URL. */
  leadTo(url: string): void;
  close(): void;
}

export async function openFaultLine(url: string): Promise<FaultLine> {
  let target = addressOf(url);
  const sockets = new Set<Socket>();
  let [silent, isCut, delayMs] = [false, false, 0];

  const server = createServer({ noDelay: true }, (near) => {
    near.on("error", () => {});
    if (isCut) return void near.resetAndDestroy();
    const far = connect({ ...target, noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", (hadError) => {
        sockets.delete(from);
        // A reset at one end, or a server that is not there, is one at the other.
        if (hadError) to.resetAndDestroy();
      });
      if (!silent) carry(from, to, () => delayMs);
    }
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const line = new URL(url);
  line.host = `127.0.0.1:${port}`;
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: line.href,
    port,
    slow(ms) {
      delayMs = ms;
    },
    goSilent(forNewOnes = false) {
      silent = forNewOnes;
      for (const socket of sockets) socket.removeAllListeners("data").removeAllListeners("end").pause();
    },
    reset,
    cut() {
      isCut = true;
      reset();
    },
    mend() {
      [silent, isCut] = [false, false];
    },
    leadTo(other) {
      target = addressOf(other);
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function addressOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

/** What comes in goes out, in its order, after the delay of the moment in which it came. */
function carry(from: Socket, to: Socket, delayMs: () => number): void {
  const underWay: { readonly dueAt: number; readonly send: () => void }[] = [];

  function deliver(): void {
    while ((underWay[0]?.dueAt ?? Number.POSITIVE_INFINITY) <= performance.now()) underWay.shift()?.send();
    const [next] = underWay;
    if (next !== undefined) setTimeout(deliver, Math.max(1, next.dueAt - performance.now()));
  }

  function after(send: () => void): void {
    const last = underWay.at(-1);
    if (delayMs() === 0 && last === undefined) {
      send();
      return;
    }
    underWay.push({ dueAt: Math.max(last?.dueAt ?? 0, performance.now() + delayMs()), send });
    if (last === undefined) setTimeout(deliver, delayMs());
  }

  from.on("data", (chunk: Buffer) =>
    after(() => {
      if (!to.writable || to.write(chunk)) return;
      from.pause();
      to.once("drain", () => from.resume());
    }),
  );
  from.on("end", () => after(() => to.end()));
}
