import { describe } from "vitest";
import { createInProcessJobs } from "./in-process.ts";
import { jobQueueContract } from "./job-queue.contract.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };

describe("jobs in this process", () => {
  jobQueueContract(() => ({
    shared: false,
    open: async ({ concurrency = 1 } = {}) => createInProcessJobs({ log, concurrency, retryMs: 20, finishMs: 100 }),
  }));
});
