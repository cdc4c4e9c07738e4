import { openBullJobs } from "../../src/adapters/job-queue/bullmq.ts";
import { openRedisReadModels } from "../../src/adapters/read-models/redis.ts";

/**
 * Uses what is at a URL as read models, and where a second argument says so as the jobs' Redis, and prints what it found. A
 * process of its own, since whom it trusts is NODE_EXTRA_CA_CERTS.
 */
const [url = "", jobs] = process.argv.slice(2);
const readModels = await openRedisReadModels({ url });
const key = "n1:learner:ada";
const [before] = await readModels.read([key]);
await readModels.write([{ key, from: before?.version ?? 0, to: 7, set: new Map([["state", Buffer.from("known")]]) }]);
const [row] = await readModels.read([key]);
console.log(row?.version, row?.fields.get("state")?.toString());
await readModels.close();
if (jobs === "jobs") {
  const queue = await openBullJobs({ url, log: { debug() {}, info() {}, warn() {}, error() {} } });
  queue.define("one", { input: { parse: (input) => input }, run: async () => ({}) });
  await queue.enqueue("one", {});
  console.log((await queue.counts()).waiting);
  await queue.close();
}
