import type { Loaded, Side } from "./case.ts";
import type { LoadOrder, LoadReport, NumberedOrder, NumberedReport } from "./load-generator.ts";
import { cpuSeconds, cpuUsEach, messageOf, type NodeProcess, startNode } from "./processes.ts";

/** The process of load-generator.ts. */
export interface LoadGenerator {
  readonly pid: number;
  /** Carries out an order, beside those that are under way. */
  load(order: LoadOrder): Promise<LoadReport>;
}

export function startLoadGenerator(): LoadGenerator {
  const process: NodeProcess = startNode("load-tests/bench/load-generator.ts");
  let orders = 0;
  return {
    pid: process.pid,
    async load(order) {
      orders += 1;
      const number = orders;
      process.child.send({ number, order } satisfies NumberedOrder);
      for (;;) {
        const answer = await messageOf<NumberedReport>(process);
        if (answer.number === number) return answer.report;
      }
    },
  };
}

/** A side that is a server under load from the generator: operations a second, CPU of the server, latencies for context. */
export function loadSide(generator: LoadGenerator, { url, pids, order, each = 1 }: Loaded): Side {
  return async ({ seconds, requests }) => {
    const before = [cpuSeconds(...pids), cpuSeconds(generator.pid)] as const;
    const report = await generator.load({ ...order, url, seconds, ...(requests === undefined ? {} : { requests }) });
    const after = [cpuSeconds(...pids), cpuSeconds(generator.pid)] as const;
    if (report.failed > 0) {
      throw new Error(
        `${report.failed} of ${report.requests + report.failed} requests to ${url} failed: nothing to compare`,
      );
    }
    const ofGenerator = cpuUsEach(before[1], after[1], report.seconds);
    const operations = report.requests * each;
    return {
      figure: operations / report.seconds,
      cpuUs: cpuUsEach(before[0], after[0], operations),
      context: {
        latency_p50_ms: report.p50,
        latency_p99_ms: report.p99,
        // Near 1 the generator is what is slow, and only CPU time tells the sides apart.
        ...(ofGenerator === null ? {} : { generator_cores: ofGenerator / 1e6 }),
      },
    };
  };
}
