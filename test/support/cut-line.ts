import { connect, createServer, type Socket } from "node:net";
import { freePort } from "./servers.ts";

/** A line to a server that can fall silent: nothing arrives any more on its connections, and nothing is closed. */
export interface CutLine {
  readonly url: string;
  /** Those that stand fall silent; new ones work, unless `forNewOnes` too. */
  goSilent(forNewOnes?: boolean): void;
  /** New connections work again; the silent ones stay so. */
  mend(): void;
  close(): void;
}

export async function openCutLine(url: string): Promise<CutLine> {
  const { hostname, port: serverPort } = new URL(url);
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((near) => {
    const far = connect(Number(serverPort), hostname);
    if (!silent) near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const line = new URL(url);
  line.host = `127.0.0.1:${port}`;
  return {
    url: line.href,
    goSilent(forNewOnes = false) {
      silent = forNewOnes;
      for (const socket of sockets) socket.unpipe().pause();
    },
    mend() {
      silent = false;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
