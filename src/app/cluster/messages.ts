import { z } from "zod";

const counts = z.object({ window: z.number(), taken: z.record(z.string(), z.number()) });
/** Requests of each key in a minute of the clock. */
export type Taken = z.infer<typeof counts>;

/** What a worker tells the primary. */
export const fromWorker = z.discriminatedUnion("proximal", [
  /** It serves. `text`: what `serve` prints. */
  z.object({ proximal: z.literal("ready"), text: z.string() }),
  /** Requests it took since the last time. */
  z.object({ proximal: z.literal("taken"), taken: counts }),
  /** Somebody asked it for the metrics of all. */
  z.object({ proximal: z.literal("all metrics?"), id: z.number() }),
  /** Its own, as prom-client's registry gives them. */
  z.object({ proximal: z.literal("my metrics"), id: z.number(), metrics: z.array(z.unknown()) }),
]);
export type FromWorker = z.infer<typeof fromWorker>;

/** What the primary tells a worker. */
export const fromPrimary = z.discriminatedUnion("proximal", [
  z.object({ proximal: z.literal("stop") }),
  /** Requests that another worker took. */
  z.object({ proximal: z.literal("taken"), taken: counts }),
  z.object({ proximal: z.literal("your metrics?"), id: z.number() }),
  /** In Prometheus' text format. */
  z.object({ proximal: z.literal("all metrics"), id: z.number(), text: z.string() }),
]);
export type FromPrimary = z.infer<typeof fromPrimary>;
