import { z } from "zod";

export const schema = z.object({ at: z.number() });

/** Time is an argument; `new Date(ms)` says a time in another form; `process` here is a name of our own. */
export const fold = (at: number, u: number): string => new Date(at + u).toISOString();
export const run = (process: (n: number) => number): number => process(1);
export const fields = { performance: 1, fetch: 2 };
export const read = (from: { fetch: number }): number => from.fetch;
