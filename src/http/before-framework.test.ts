import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { AnswerHead } from "./answer-head.ts";
import { sendPieces, sendText } from "./before-framework.ts";

const texts = (n: number): string[] => [
  `"${n} `,
  ...(n % 7 === 0 ? ["größer 😀 "] : []),
  `${n % 10}`.repeat(100 * (n % 300)),
  '"',
];

/** The port of a server that answers so, until the test ends. */
async function listening(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test("texts arrive as they are: in turn and behind one another, short and long, and at a reader who takes his time", async () => {
  const head = new AnswerHead(200, { "x-some": "header" });
  const port = await listening((request, response) => {
    const n = Number(request.url?.slice(1));
    const all = texts(n);
    const whole = all.join("");
    if (n % 2 === 0) sendPieces(response, head, all, Buffer.byteLength(whole));
    else sendText(response, head, whole, Buffer.byteLength(whole));
  });
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

describe("heads", () => {
  const tagOf = (n: number): string => `W/"${n}-content-length: 3"`;
  const headers = { "x-some": "header", "cache-control": "no-store" };
  const head = new AnswerHead(201, headers, { hasTag: true });
  const text = (n: number): string => "x".repeat(n);

  /** What comes back to the lines of a request until the server, or this side after a while, closes the connection. */
  async function raw(port: number, path: string, lines: readonly string[], version: string): Promise<string> {
    const socket = connect(port, "127.0.0.1");
    socket.end([`GET ${path} HTTP/${version}`, "host: h", ...lines, "", ""].join("\r\n"));
    const parts: Buffer[] = [];
    socket.on("data", (part: Buffer) => parts.push(part));
    await once(socket, "close");
    return Buffer.concat(parts)
      .toString()
      .replace(/Date: [^\r]+/, "Date: then");
  }

  test.each([
    ["1.1", []],
    ["1.1", ["connection: close"]],
    ["1.1", ["expect: 100-continue"]],
    ["1.0", []],
    ["1.0", ["connection: keep-alive"]],
  ])("say what those of node:http say, whichever came before: HTTP/%s, %j", async (version, lines) => {
    const port = await listening((request, response) => {
      const n = Number(request.url?.slice(2));
      if (request.url?.startsWith("/a")) return sendText(response, head, text(n), n, tagOf(n));
      const ours = {
        "content-type": "application/json; charset=utf-8",
        ...headers,
        etag: tagOf(n),
        "content-length": n,
      };
      response.writeHead(201, ours).end(text(n));
    });
    for (const n of [5, 12, 1_000]) {
      // What is kept is of one that is like most.
      await raw(port, `/a${n + 1}`, [], "1.1");
      const [ours, theirs] = [await raw(port, `/a${n}`, lines, version), await raw(port, `/b${n}`, lines, version)];
      expect(ours).toBe(theirs);
      expect(await raw(port, `/a${n}`, [], "1.1")).toBe(await raw(port, `/b${n}`, [], "1.1"));
    }
  });

  test("say the time of their second", async () => {
    const port = await listening((_request, response) => sendText(response, head, "{}", 2, tagOf(2)));
    for (let k = 0; k < 4; k++) {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      const late = Date.now() - Date.parse(response.headers.get("date") ?? "");
      expect(late).toBeGreaterThanOrEqual(0);
      // It says whole seconds, may be kept for one, and this machine may be busy.
      expect(late).toBeLessThan(4_000);
      await sleep(700);
    }
  });
});
