import { z } from "zod";
import type { BenchCase } from "./case.ts";
import { linesOf } from "./processes.ts";

const eventsOf = { full: 1_000_000, quick: 50_000, gate: 50_000 };
const perLearner = 20;

/** The line that measure-rebuild.ts ends with. */
const lineSchema = z.object({ events: z.number(), seconds: z.number(), cpu_s: z.number(), redis_cpu_s: z.number() });

/**
 * All rows made anew beside the live ones, compared, and switched to (docs/rebuild.md), on a PostgreSQL and a Redis of its own:
 * measure-rebuild.ts. Of fewer events than a million the figure is what a million would take at that pace, which leaves out
 * that states then no longer fit into memory.
 */
export const rebuild: BenchCase = {
  name: "rebuild",
  title: "rebuild of 1,000,000 events",
  limit: null,
  unit: "s",
  better: "lower",
  target: { below: 60 },
  rounds: { full: 1, quick: 1, gate: 1 },
  warmUp: false,
  notIn: ["gate"],
  async prepare({ scale }) {
    const events = eventsOf[scale];
    return {
      async ours() {
        const args = ["--json", "--events", String(events), "--learners", String(events / perLearner)];
        const lines = await linesOf("load-tests/measure-rebuild.ts", args, {});
        const { seconds, cpu_s, redis_cpu_s } = lineSchema.parse(JSON.parse(lines.at(-1) ?? "null"));
        const cpuUs = (cpu_s * 1e6) / events;
        return { figure: (seconds * 1e6) / events, cpuUs, context: { measured_s: seconds, cpu_s, redis_cpu_s } };
      },
      limit: null,
      parameters: { events, learners: events / perLearner },
    };
  },
};
