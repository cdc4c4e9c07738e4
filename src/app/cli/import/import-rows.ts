import { hash } from "node:crypto";
import type { InteractionOutcome } from "../../../commands/record-interactions.ts";
import type { Blobs } from "../../../ports/blobs.ts";
import type { ImportedInteraction } from "./interaction-mapping.ts";
import type { SourceRow } from "./interaction-rows.ts";

/** What became of the rows so far, over all runs of this import. */
export interface ImportCounts {
  /** Rows dealt with: the next run goes on after this one. */
  rows: number;
  accepted: number;
  duplicates: number;
  refused: number;
  /** Of the refused: those with the id of another interaction. */
  conflicts: number;
  /** Of the accepted: those without a time of their own. */
  withoutTime: number;
}

/** One row that was not stored, and why. */
export interface RefusedRow {
  /** Where it is not the one file that was given. */
  readonly file?: string;
  readonly line: number;
  /** Number of the row, where the file has rows. */
  readonly row?: number;
  readonly id: string | null;
  readonly problem: string;
}

export interface ImportRowsDeps {
  readonly record: (inputs: readonly unknown[]) => Promise<InteractionOutcome[]>;
  /** Makes the items of these rows known before the rows are recorded. */
  readonly publish: (rows: readonly ImportedInteraction[]) => Promise<void>;
  readonly onRefused: (row: RefusedRow) => void;
  readonly onProgress: (counts: ImportCounts, line: number) => Promise<void> | void;
  readonly signal: AbortSignal;
}

export const newCounts = (): ImportCounts => ({
  rows: 0,
  accepted: 0,
  duplicates: 0,
  refused: 0,
  conflicts: 0,
  withoutTime: 0,
});

/** Rows recorded in one durable commit. */
export const batchRows = 1000;

/**
 * Records rows in batches, in order, and counts into `counts`, beginning after `counts.rows`. While a batch is being
 * made durable the next one is read. Resolves with true at the end of the rows, false where the signal came first;
 * everything counted is durable either way.
 */
export async function importRows(
  deps: ImportRowsDeps,
  rows: AsyncIterable<SourceRow>,
  counts: ImportCounts,
): Promise<boolean> {
  const skip = counts.rows;
  let batch: SourceRow[] = [];
  let inHand: Promise<void> = Promise.resolve();
  const send = async (): Promise<void> => {
    const full = batch;
    batch = [];
    await inHand;
    inHand = recordBatch(deps, full, counts);
    // It is awaited before the next one starts; until then a failure is not unhandled.
    inHand.catch(() => {});
  };
  for await (const row of rows) {
    if (row.row <= skip) continue;
    if (deps.signal.aborted) break;
    batch.push(row);
    if (batch.length >= batchRows) await send();
  }
  const ended = !deps.signal.aborted;
  if (ended && batch.length > 0) await send();
  await inHand;
  return ended;
}

async function recordBatch(deps: ImportRowsDeps, batch: readonly SourceRow[], counts: ImportCounts): Promise<void> {
  const readable: { readonly at: SourceRow; readonly interaction: ImportedInteraction }[] = [];
  const refused: RefusedRow[] = [];
  for (const at of batch) {
    if (at.reading.ok) readable.push({ at, interaction: at.reading.interaction });
    else refused.push({ line: at.line, row: at.row, id: null, problem: at.reading.problem });
  }
  const interactions = readable.map(({ interaction }) => interaction);
  await deps.publish(interactions);
  const outcomes = interactions.length === 0 ? [] : await deps.record(interactions.map(({ input }) => input));
  for (const [i, { at, interaction }] of readable.entries()) {
    const outcome = outcomes[i];
    if (outcome === undefined) throw new Error(`no outcome for row ${at.row}`);
    if (outcome.status === "rejected") {
      refused.push({ line: at.line, row: at.row, id: outcome.id, problem: outcome.problem.detail });
      if (outcome.problem.code === "interaction_conflict") counts.conflicts += 1;
    } else if (outcome.status === "accepted") {
      counts.accepted += 1;
      if (interaction.input.occurredAt === undefined) counts.withoutTime += 1;
    } else counts.duplicates += 1;
  }
  for (const row of refused.sort((a, b) => (a.row ?? 0) - (b.row ?? 0))) deps.onRefused(row);
  counts.refused += refused.length;
  counts.rows = batch.at(-1)?.row ?? counts.rows;
  await deps.onProgress(counts, batch.at(-1)?.line ?? 0);
}

/** How far an interrupted import of one file had come, kept beside the log. */
export interface Checkpoint {
  load(): Promise<ImportCounts | null>;
  save(counts: ImportCounts): Promise<void>;
  clear(): Promise<void>;
}

const blobKind = "import";
/** Interrupted imports remembered; the oldest is forgotten, and would begin at its first row again: all duplicates. */
const checkpointsMax = 100;

/** `identity`: everything that makes it this import and no other: the file's hash, the mapping, the prefix. */
export function checkpointOf(blobs: Blobs, identity: readonly string[]): Checkpoint {
  const name = hash("sha256", JSON.stringify(identity), "hex");
  return {
    async load() {
      const bytes = await blobs.get(blobKind, name);
      return bytes === null ? null : countsOf(bytes.toString());
    },
    async save(counts) {
      await blobs.put(blobKind, name, Buffer.from(JSON.stringify(counts)));
      const names = await blobs.names(blobKind);
      for (const old of names.slice(0, Math.max(0, names.length - checkpointsMax))) await blobs.remove(blobKind, old);
    },
    clear: () => blobs.remove(blobKind, name),
  };
}

/** A checkpoint that cannot be read is none: the import begins at the first row. */
function countsOf(text: string): ImportCounts | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const counts: ImportCounts = { ...newCounts(), ...(value as object) };
  return Object.values(counts).every((n) => Number.isSafeInteger(n) && n >= 0) ? counts : null;
}
