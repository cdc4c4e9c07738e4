import type { Loaded, Side } from "./case.ts";
import type { LoadReport } from "./load-generator.ts";
import { ask, cpuSeconds, type NodeProcess } from "./processes.ts";

/** A side that is a server under load from the generator: operations a second, CPU of the server, latencies for context. */
export function loadSide(generator: NodeProcess, { url, pids, order, each = 1 }: Loaded): Side {
  return async ({ seconds }) => {
    const before = [cpuSeconds(...pids), cpuSeconds(generator.pid)] as const;
    const report = await ask<LoadReport>(generator, { ...order, url, seconds });
    const [cpu, ofGenerator] = [cpuSeconds(...pids) - before[0], cpuSeconds(generator.pid) - before[1]];
    if (report.failed > 0) {
      throw new Error(
        `${report.failed} of ${report.requests + report.failed} requests to ${url} failed: nothing to compare`,
      );
    }
    const operations = report.requests * each;
    return {
      figure: operations / report.seconds,
      cpuUs: Number.isNaN(cpu) ? null : (cpu / operations) * 1e6,
      context: {
        latency_p50_ms: report.p50,
        latency_p99_ms: report.p99,
        // Near 1 the generator is what is slow, and only CPU time tells the sides apart.
        ...(Number.isNaN(ofGenerator) ? {} : { generator_cores: ofGenerator / report.seconds }),
      },
    };
  };
}
