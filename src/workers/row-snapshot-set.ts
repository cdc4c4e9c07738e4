import { z } from "zod";
import type { Blobs } from "../ports/blobs.ts";

/** Kind of blob. */
export const snapshotKind = "row-snapshot";
/** The blob that makes a set the one to restore from: written when all others of the set are. */
const latestName = "latest";

const partitionSchema = z.object({
  /** Of the counters; see `Checkpoint` in projections/rows.ts. */
  position: z.number().int(),
  learnersPosition: z.number().int(),
  rows: z.number().int(),
  /** Blobs with the learners' rows. */
  parts: z.array(z.string()),
  /** Blob with the row of counters. */
  counters: z.string(),
});

const setSchema = z.object({
  set: z.string(),
  /** Milliseconds since 1970. */
  savedAt: z.number(),
  /** The namespace they were taken from says model, row format and partitions. */
  namespace: z.string(),
  /** Id of the log's first event: rows are of one log. */
  firstEventId: z.string(),
  partitions: z.array(partitionSchema),
});

/** A complete set of rows of all partitions. */
export type SnapshotSet = z.infer<typeof setSchema>;
export type SnapshotPartition = z.infer<typeof partitionSchema>;

/** null where there is none, or what there is cannot be read: it is only a shortcut. */
export async function latestSet(blobs: Blobs): Promise<SnapshotSet | null> {
  const bytes = await blobs.get(snapshotKind, latestName);
  if (bytes === null) return null;
  try {
    return setSchema.parse(JSON.parse(bytes.toString()));
  } catch {
    return null;
  }
}

export async function publishSet(blobs: Blobs, set: SnapshotSet): Promise<void> {
  await blobs.put(snapshotKind, latestName, Buffer.from(JSON.stringify(set)));
}

/** Names in order of time, so that it can be told what is old. */
export const newSetName = (now: number, random: string): string => `${new Date(now).toISOString()} ${random}`;

/** Removes the blobs of sets that began before a time, but for one set. */
export async function removeSets(blobs: Blobs, before: number, keep: string): Promise<void> {
  const limit = newSetName(before, "");
  for (const name of await blobs.names(snapshotKind)) {
    if (name !== latestName && name < limit && !name.startsWith(`${keep}/`)) await blobs.remove(snapshotKind, name);
  }
}
