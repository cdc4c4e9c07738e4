import { openBullJobs } from "../../src/adapters/job-queue/bullmq.ts";

/** Takes a job, says so, and never ends it. Argument: the URL of the Redis of the jobs. */
const [url = ""] = process.argv.slice(2);
const log = { debug() {}, info() {}, warn() {}, error() {} };
const queue = await openBullJobs({ url, log, lockMs: 500 });
queue.define("endless", {
  input: { parse: (input) => input },
  run() {
    process.stdout.write("begun\n");
    return new Promise(() => undefined);
  },
});
queue.start();
