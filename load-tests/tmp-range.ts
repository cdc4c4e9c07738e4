import { openSqliteLog } from "../src/adapters/event-store/sqlite/log.ts";
import { openSqliteBlobs } from "../src/adapters/blobs/sqlite.ts";
import { learnerModels } from "../src/domain/learner-model/models.ts";
import { replayRange } from "../src/queries/what-if/replay-range.ts";
const folder = "/tmp/h/hist-data/w";
const feed = await openSqliteLog({ folder });
const blobs = await openSqliteBlobs({ folder });
const log = { debug() {}, info() {}, warn: console.warn, error: console.error };
const to = await feed.head();
const deps = { feed, blobs, model: learnerModels["lr-lite"], log };
async function m(name: string, f: () => Promise<unknown>) {
  const t = process.threadCpuUsage(); const a = process.cpuUsage();
  await f();
  const u = process.threadCpuUsage(t); const b = process.cpuUsage(a);
  console.log(name, "thread us/event", ((u.user + u.system) / to).toFixed(1), "process", ((b.user + b.system) / to).toFixed(1));
}
const plan = { from: 0, to, input: { track: undefined, every: 1, count: 10 }, change: { targetSuccess: 0.7, masteryThreshold: 0.9, reviewShare: 0.2 }, otherModel: null, learnerIds: null };
await m("read", async () => { for (let p = 0; p < to; ) { const page = await feed.read(p, 5000); p = page.position; } });
await m("fold only", () => replayRange(deps, { range: 0, ranges: 1 }, { ...plan, input: { ...plan.input, every: 1000 } }));
await m("all", () => replayRange(deps, { range: 0, ranges: 1 }, plan));
await m("all again", () => replayRange(deps, { range: 0, ranges: 1 }, plan));
await m("half", () => replayRange(deps, { range: 0, ranges: 2 }, plan));
await feed.close();
