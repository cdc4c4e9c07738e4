import type { EventArchive, LogSegment, PositionRange, SegmentedLog } from "../ports/event-archive.ts";

export interface ArchiveEventsDeps {
  readonly log: SegmentedLog;
  readonly archive: EventArchive;
}

/** What is old enough: all events of a segment up to this position, or recorded before this time (ISO 8601). */
export type ArchiveBefore = { readonly position: number } | { readonly time: string };

export interface ArchivedNow extends PositionRange {
  readonly name: string;
}

/**
 * Moves the segments of the log that are old enough to the archive, oldest first, and says which. Whole segments only,
 * and never one that may still be added to. Each is written, read back and found whole before the log lets go of it;
 * repeated after a crash at any point it goes on from there. `onEvents` is told how many events have been written.
 */
export async function archiveEvents(
  { log, archive }: ArchiveEventsDeps,
  before: ArchiveBefore,
  { signal, onEvents }: { readonly signal?: AbortSignal; readonly onEvents?: (written: number) => void } = {},
): Promise<ArchivedNow[]> {
  const moved: ArchivedNow[] = [];
  let written = 0;
  await log.tidy();
  for (const segment of await log.segments()) {
    if (segment.archive !== null) continue;
    if (!(await isOldEnough(log, segment, before)) || signal?.aborted === true) break;
    const { first, last } = segment;
    try {
      const name = await archive.write({ first, last }, counted(log, { first, last }));
      await log.release({ first, last }, name);
      moved.push({ first, last, name });
    } catch (error) {
      // Another process that archives was faster: its events could no longer be read here.
      if (!(await isArchived(log, first))) throw error;
    }
  }
  return moved;

  async function* counted(from: SegmentedLog, range: PositionRange) {
    for await (const events of from.read(range)) {
      signal?.throwIfAborted();
      yield events;
      written += events.length;
      onEvents?.(written);
    }
  }
}

async function isArchived(log: SegmentedLog, first: number): Promise<boolean> {
  return (await log.segments()).some((segment) => segment.first === first && segment.archive !== null);
}

async function isOldEnough(log: SegmentedLog, segment: LogSegment, before: ArchiveBefore): Promise<boolean> {
  if (!segment.complete) return false;
  if ("position" in before) return segment.last <= before.position;
  const recordedAt = await log.lastRecordedAt(segment);
  return recordedAt !== null && Date.parse(recordedAt) < Date.parse(before.time);
}
