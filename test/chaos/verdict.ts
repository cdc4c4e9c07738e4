import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { createPostgres } from "../../src/adapters/engines/postgres.ts";
import { openPostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { ask } from "./http.ts";
import type { Stack } from "./stack.ts";
import type { SeenPost } from "./users.ts";

/** What holds once all is quiet again. */
export interface Verdict {
  /** Accepted interactions that the log lacks. */
  readonly lost: readonly string[];
  /** Interactions, accepted or not, that it has more than once. */
  readonly doubled: readonly string[];
  /** Whether the rows are those of a rebuild from the log; keys of rows that are not. */
  readonly rowsEqual: boolean;
  readonly differing: readonly string[];
}

const lagSchema = z.object({
  projections: z.array(
    z.object({
      projection: z.string(),
      partition: z.number(),
      started: z.boolean(),
      behindEvents: z.number(),
      behindSeconds: z.number(),
    }),
  ),
});
const rebuildSchema = z.object({
  status: z.string(),
  identical: z.boolean().nullable(),
  different: z.number(),
  differing: z.array(z.string()),
  behind: z.number(),
});

type Projection = z.infer<typeof lagSchema>["projections"][number];

/** Of what every process of the stack follows; null where one of them cannot say. */
export async function lagOf({ processes, key }: Stack): Promise<readonly Projection[] | null> {
  const told = await Promise.all(processes.map(({ url }) => ask(`${url}/v1/ops/lag`, 3_000, { key })));
  if (told.some((answered) => answered?.status !== 200)) return null;
  return told.flatMap((answered) => lagSchema.parse(JSON.parse(answered?.body ?? "")).projections);
}

/** Resolves when nobody is behind at all; throws with who is, when the time is up. */
export async function untilNoLag(stack: Stack, withinMs = 120_000): Promise<void> {
  for (const end = performance.now() + withinMs; ; await sleep(100)) {
    const lag = await lagOf(stack);
    if (lag?.every(({ started, behindEvents }) => started && behindEvents === 0)) return;
    if (performance.now() > end) {
      throw new Error(`behind after ${withinMs} ms: ${JSON.stringify(lag?.filter((one) => one.behindEvents > 0))}`);
    }
  }
}

/** Reads the log itself, past everything that was broken, from where it read before. */
export function createLogReader(stack: Stack) {
  const times = new Map<string, number>();
  let position = 0;
  return {
    async times(): Promise<ReadonlyMap<string, number>> {
      // A connection of its own each time: the server may be another one by now.
      const sql = createPostgres({ url: stack.lines.postgres.url, connections: 1 });
      try {
        const log = await openPostgresLog({ sql });
        for (let atHead = false; !atHead; ) {
          const page = await log.read(position, 5_000);
          for (const { type, data } of page.events) {
            if (type !== "InteractionRecorded") continue;
            const { interactionId } = z.object({ interactionId: z.string() }).parse(data);
            times.set(interactionId, (times.get(interactionId) ?? 0) + 1);
          }
          ({ position, atHead } = page);
        }
        await log.close();
      } finally {
        await sql.close();
      }
      return times;
    },
  };
}

/** To be asked when nobody posts any more. */
export async function judge(
  stack: Stack,
  reader: ReturnType<typeof createLogReader>,
  accepted: readonly SeenPost[],
): Promise<Verdict> {
  await untilNoLag(stack);
  const times = await reader.times();
  const rebuilt = await rebuild(stack);
  return {
    lost: accepted.filter(({ id }) => !times.has(id)).map(({ id }) => id),
    doubled: [...times].filter(([, count]) => count > 1).map(([id]) => id),
    rowsEqual: rebuilt.identical === true,
    differing: rebuilt.differing,
  };
}

async function rebuild(stack: Stack): Promise<z.infer<typeof rebuildSchema>> {
  // Rows of which a projector is still behind by an event that came meanwhile are not compared: then once more.
  for (let tries = 1; ; tries += 1) {
    const said = await stack.proximal("rebuild", "learners", "--json");
    const report = rebuildSchema.parse(JSON.parse(said.slice(said.indexOf("{"))));
    if (report.behind === 0 || tries === 5) return report;
    await untilNoLag(stack);
  }
}
