import { z } from "zod";
import type { Blobs } from "../ports/blobs.ts";

/** Answers that became visible: in time, and all. */
export interface FreshnessCounts {
  readonly good: number;
  readonly total: number;
}

export const freshnessPeriodDays = 30;
export const hoursMax = freshnessPeriodDays * 24;
export const minutesMax = 60;

/** A time as a count of minutes or hours since the epoch, good, total. */
const entrySchema = z.tuple([z.number().int(), z.number().int().min(0), z.number().int().min(0)]);
type Entry = z.output<typeof entrySchema>;

/** Counts of one partition: by hour over the period, by minute over the last hour. The oldest first. */
const ledgerSchema = z.object({
  /** Other counts are of another objective, and are not used. */
  withinSeconds: z.number(),
  hours: z.array(entrySchema).max(hoursMax + 1),
  minutes: z.array(entrySchema).max(minutesMax + 1),
});
export type FreshnessLedger = z.output<typeof ledgerSchema>;

export const newLedger = (withinSeconds: number): FreshnessLedger => ({ withinSeconds, hours: [], minutes: [] });

const blobKind = "freshness";

/** What is kept of a partition; an empty one where there is none, or it is of another objective or unreadable. */
export async function loadLedger(blobs: Blobs, partition: number, withinSeconds: number): Promise<FreshnessLedger> {
  const bytes = await blobs.get(blobKind, String(partition));
  if (bytes === null) return newLedger(withinSeconds);
  const { success, data } = ledgerSchema.safeParse(JSON.parse(bytes.toString()));
  return success && data.withinSeconds === withinSeconds ? data : newLedger(withinSeconds);
}

export async function saveLedger(blobs: Blobs, partition: number, ledger: FreshnessLedger): Promise<void> {
  await blobs.put(blobKind, String(partition), Buffer.from(JSON.stringify(ledger)));
}

/** With what became visible in a minute (of the epoch) added; entries that are too old are dropped. */
export function addCounts(ledger: FreshnessLedger, minute: number, counts: FreshnessCounts): FreshnessLedger {
  return {
    ...ledger,
    hours: added(ledger.hours, Math.floor(minute / 60), counts, hoursMax),
    minutes: added(ledger.minutes, minute, counts, minutesMax),
  };
}

function added(entries: readonly Entry[], at: number, { good, total }: FreshnessCounts, max: number): Entry[] {
  const before = entries.find(([time]) => time === at) ?? [at, 0, 0];
  const others = entries.filter(([time]) => time !== at);
  const all: Entry[] = [...others, [at, before[1] + good, before[2] + total]];
  all.sort(([a], [b]) => a - b);
  const newest = all.at(-1)?.[0] ?? at;
  return all.filter(([time]) => time > newest - max);
}
