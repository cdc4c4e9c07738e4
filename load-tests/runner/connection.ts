import { connect, type Socket } from "node:net";

export interface Connection {
  readonly open: boolean;
  /** Sends the request and resolves with the status; -1 where the connection ended or was silent too long. */
  ask(): Promise<number>;
  close(): void;
}

/**
 * One keep-alive connection that asks the same question again and again. A socket and a few bytes of parsing, so that ten
 * thousand of them cost the machine little beside the server they load. It reads answers with a Content-Length only, which is
 * how Proximal answers; any other is counted as a failure.
 */
export function openConnection(
  to: { readonly host: string; readonly port: number; readonly localAddress: string },
  request: string,
  timeoutMs: number,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(to);
    let waiting: ((status: number) => void) | null = null;
    let status = 0;
    let rest = -1;
    let head = "";
    const answered = (code: number): void => {
      const tell = waiting;
      waiting = null;
      [status, rest, head] = [0, -1, ""];
      tell?.(code);
    };
    const connection: Connection = {
      get open() {
        return !socket.destroyed && socket.writable;
      },
      ask: () =>
        new Promise<number>((tell) => {
          if (!connection.open || waiting !== null) return tell(-1);
          waiting = tell;
          socket.write(request);
        }),
      close: () => void socket.destroy(),
    };
    socket.setNoDelay(true);
    socket.setTimeout(timeoutMs, () => {
      // Silence between questions is what an idle connection is.
      if (waiting !== null) socket.destroy();
    });
    socket.once("connect", () => resolve(connection));
    socket.on("error", (error) => reject(error));
    socket.on("close", () => answered(-1));
    socket.on("data", (chunk) => {
      let body = chunk.length;
      if (rest < 0) {
        head += chunk.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        const length = /\r\ncontent-length: *(\d+)/i.exec(head);
        if (length === null) return void socket.destroy();
        status = Number(head.slice(9, 12));
        rest = Number(length[1]);
        body = head.length - end - 4;
      }
      rest -= body;
      if (rest < 0) return void socket.destroy();
      if (rest === 0) answered(status);
    });
  });
}
