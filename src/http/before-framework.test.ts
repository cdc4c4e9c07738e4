import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { jsonHeaders, sendPieces } from "./before-framework.ts";

const texts = (n: number): string[] => [
  `"${n} `,
  ...(n % 7 === 0 ? ["größer 😀 "] : []),
  `${n % 10}`.repeat(100 * (n % 300)),
  '"',
];

test("texts arrive as they are: in turn and behind one another, short and long, and at a reader who takes his time", async () => {
  const headers = jsonHeaders({ "x-some": "header" });
  const server = createServer((request, response) => {
    const all = texts(Number(request.url?.slice(1)));
    sendPieces(response, 200, headers, all, Buffer.byteLength(all.join("")));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const each = 300;

  /** Asks for so many, `together` in one go, and gives what came, each answer's body. */
  async function asked(from: number, together: number): Promise<string[]> {
    const socket = connect(port, "127.0.0.1");
    const requests = Array.from({ length: each }, (_, k) => `GET /${from + k} HTTP/1.1\r\nhost: h\r\n\r\n`);
    const parts: Buffer[] = [];
    // Meanwhile the system has room for a part only.
    socket.pause();
    for (let k = 0; k < each; k += together) {
      socket.write(requests.slice(k, k + together).join(""));
      await sleep(together === 1 ? 0 : 20);
    }
    socket.on("data", (part: Buffer) => parts.push(part));
    await sleep(100);
    socket.end();
    socket.resume();
    await once(socket, "close");
    return Buffer.concat(parts)
      .toString()
      .split(/HTTP\/1\.1 200 OK\r\n[\s\S]*?\r\n\r\n/)
      .slice(1);
  }

  const took = await Promise.all([asked(0, 1), asked(300, 20), asked(600, 300), asked(900, 7)]);
  for (const [at, bodies] of took.entries()) {
    expect(bodies).toEqual(Array.from({ length: each }, (_, k) => texts(300 * at + k).join("")));
  }
});
