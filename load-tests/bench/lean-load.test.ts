import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runLean, statusOfWhole } from "./lean-load.ts";

const got: { method: string; authorization: string; body: string }[] = [];
const server = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  got.push({ method: request.method ?? "", authorization: request.headers.authorization ?? "", body });
  response.statusCode = body === "bad" ? 500 : 201;
  const text = "x".repeat(100_000);
  response.setHeader("content-length", text.length);
  response.end(text);
});
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve)));
afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

test("every connection sends its own part in turn, answers in pieces are whole, and refusals are failures", async () => {
  const { port } = server.address() as AddressInfo;
  const shots = ["a", "b", "bad", "c"].map((body) => ({ method: "POST" as const, path: "/", body }));
  const report = await runLean({
    ...{ url: `http://127.0.0.1:${port}`, key: "k", connections: 2, seconds: 60, requests: 40, shots },
  });
  // One more of each connection may be under way when the number is reached.
  expect(report.requests + report.failed).toBeGreaterThanOrEqual(40);
  expect(report.requests + report.failed).toBe(got.length);
  expect(report.failed).toBe(got.filter(({ body }) => body === "bad").length);
  expect(new Set(got.map(({ body }) => body))).toEqual(new Set(["a", "b", "bad", "c"]));
  expect(new Set(got.map(({ method, authorization }) => `${method} ${authorization}`))).toEqual(
    new Set(["POST Bearer k"]),
  );
  expect(report.p99).toBeGreaterThanOrEqual(report.p50);
});

test("a server that hangs up, or is not there, is a failure", async () => {
  const rude = createServer((request) => request.socket.destroy());
  await new Promise<void>((resolve) => void rude.listen(0, "127.0.0.1", resolve));
  const { port } = rude.address() as AddressInfo;
  const order = { url: `http://127.0.0.1:${port}`, key: "k", connections: 3, seconds: 60 };
  const shots = [{ method: "POST" as const, path: "/", body: "a" }];
  expect(await runLean({ ...order, shots })).toMatchObject({ requests: 0, failed: 3 });
  await new Promise<void>((resolve) => void rude.close(() => resolve()));
  expect(await runLean({ ...order, shots })).toMatchObject({ requests: 0, failed: 3 });
});

test("an answer is whole when its last byte is there", () => {
  const answer = Buffer.from("HTTP/1.1 201 Created\r\nContent-Length: 3\r\nDate: x\r\n\r\nabc");
  expect(statusOfWhole(answer)).toBe(201);
  expect(statusOfWhole(answer.subarray(0, answer.length - 1))).toBeNull();
  expect(statusOfWhole(answer.subarray(0, 30))).toBeNull();
});
