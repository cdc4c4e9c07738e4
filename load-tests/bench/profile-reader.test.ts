import { Session } from "node:inspector/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { profileTable, readProfile } from "./profile-reader.ts";

const root = "/repository";
const frame = (functionName: string, url: string, lineNumber = 0) => ({ functionName, url, lineNumber });

test("a sample stands for the time until the next, waiting is left out, and packages are summed", () => {
  const nodes = [
    frame("(root)", ""),
    frame("(idle)", ""),
    frame("route", `file://${root}/src/http/next.ts`, 9),
    frame("", `file://${root}/src/http/next.ts`, 19),
    frame("send", `file://${root}/node_modules/@fastify/sent/lib/send.js`),
    frame("writev", "node:net"),
    frame("(garbage collector)", ""),
  ].map((callFrame, id) => ({ id, callFrame }));
  const samples = [2, 3, 4, 1, 2, 5, 6];
  const timeDeltas = [9_000, 1_000, 2_000, 5_000, 50_000, 1_000, 500];
  const { total, functions, packages } = readProfile({ nodes, samples, timeDeltas }, root);
  expect(total).toBeCloseTo(9.5);
  expect(functions.slice(0, 3)).toEqual([
    { what: "send node_modules/@fastify/sent/lib/send.js:1", self: 5 },
    { what: "route src/http/next.ts:10", self: 2 },
    { what: "(anonymous) src/http/next.ts:20", self: 2 },
  ]);
  expect(packages).toEqual([
    { what: "@fastify/sent", self: 5 },
    { what: "src/http", self: 4 },
    { what: "node", self: 0.5 },
  ]);
});

test("what allocated most, of a heap profile", () => {
  const leaf = {
    callFrame: frame("fold", `file://${root}/src/domain/learner/fold.ts`, 3),
    selfSize: 3_000,
    children: [],
  };
  const head = { callFrame: frame("(root)", ""), selfSize: 0, children: [leaf, { ...leaf, selfSize: 1_000 }] };
  const profile = readProfile({ head }, root);
  expect(profile).toMatchObject({ unit: "kB", total: 4, packages: [{ what: "src/domain/learner", self: 4 }] });
  expect(profileTable(profile, 1)).toContain("| fold src/domain/learner/fold.ts:4 | 4 | 100.0 % |");
});

test("a real profile of V8: the function that burnt the time comes first", async () => {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  burn(150);
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  const here = dirname(dirname(import.meta.dirname));
  const { functions, total } = readProfile(profile, here);
  expect(total).toBeGreaterThan(30);
  expect(functions[0]?.what).toContain(`burn ${join("load-tests", "bench", "profile-reader.test.ts")}`);
});

/** So many milliseconds of processor time: on a busy machine they take longer, and are no fewer. */
function burn(ms: number): number {
  let sum = 0;
  const start = process.threadCpuUsage();
  const spent = () => process.threadCpuUsage(start).user / 1000;
  while (spent() < ms) for (let i = 0; i < 1e5; i += 1) sum += i % 7;
  return sum;
}
