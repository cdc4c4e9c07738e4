import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { openConnection } from "./connection.ts";

async function serve(answer: RequestListener) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const request = "GET / HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\n\r\n";
const open = (port: number, timeoutMs = 5_000) =>
  openConnection({ host: "127.0.0.1", port, localAddress: "127.0.0.1" }, request, timeoutMs);

test("one connection asks again and again, and tells the status of each answer", async () => {
  const from = new Set<number | undefined>();
  let n = 0;
  const port = await serve((asked, reply) => {
    from.add(asked.socket.remotePort);
    n += 1;
    const body = "x".repeat(n === 2 ? 200_000 : 0);
    reply.writeHead(n === 3 ? 503 : 200, { "content-length": body.length }).end(body);
  });
  const connection = await open(port);
  expect([await connection.ask(), await connection.ask(), await connection.ask()]).toEqual([200, 200, 503]);
  expect(from.size).toBe(1);
  expect(connection.open).toBe(true);
  connection.close();
});

test("a connection that ends, or is silent too long, is a failure and no hang", async () => {
  const cut = await open(await serve((asked) => asked.socket.destroy()));
  expect(await cut.ask()).toBe(-1);
  expect(cut.open).toBe(false);
  expect(await cut.ask()).toBe(-1);
  const silent = await open(await serve(() => {}), 50);
  expect(await silent.ask()).toBe(-1);
});

test("an answer without a length is a failure: the next one could not be told from it", async () => {
  const connection = await open(await serve((_, reply) => reply.write("chunk")));
  expect(await connection.ask()).toBe(-1);
});
