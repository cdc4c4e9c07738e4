import type { StoredEvent } from "../domain/stored-event.ts";

/** Positions, both inclusive. */
export interface PositionRange {
  readonly first: number;
  readonly last: number;
}

/** What a block holds, so that whoever looks for something else need not read it. */
export interface BlockSummary extends PositionRange {
  /** Events by category and type, with a tab between (which neither holds). */
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * Old parts of the log, outside of the engine it lives in. A segment is a range of positions without a gap; it is cut
 * into blocks of {@link blockEvents} events, the last one maybe shorter, which are read by themselves.
 */
export interface EventArchive {
  /**
   * Writes a segment, reads it back, and resolves with its name when it is durable and was found whole. `pages` gives
   * all of its events in order. Writing the same events again gives the same name.
   */
  write(range: PositionRange, pages: AsyncIterable<readonly StoredEvent[]>): Promise<string>;
  /** The blocks of a segment, in order. Rejects with {@link ArchiveUnreadable}. */
  blocks(name: string): Promise<readonly BlockSummary[]>;
  /** The events of one block. Rejects with {@link ArchiveUnreadable}. */
  events(name: string, block: number): Promise<readonly StoredEvent[]>;
  /** Reads all of a segment and checks it against its checksum. Rejects with {@link ArchiveUnreadable}. */
  verify(name: string): Promise<PositionRange>;
}

export const blockEvents = 1_000;

/** A segment's file is missing, damaged, or not what its name says. */
export class ArchiveUnreadable extends Error {
  override readonly name = "ArchiveUnreadable";
}

/** A part of the log's engine that can move to the archive. */
export interface LogSegment extends PositionRange {
  /** Its name in the archive; null: it is still in the engine. */
  readonly archive: string | null;
  /** Whether nothing will be added to it any more. */
  readonly complete: boolean;
}

/** The engine's side of archiving. */
export interface SegmentedLog {
  /** Oldest first. Those in the archive come before the others. */
  segments(): Promise<readonly LogSegment[]>;
  /** When the last event of a complete segment that is still here was recorded, ISO 8601; null for any other. */
  lastRecordedAt(segment: PositionRange): Promise<string | null>;
  /** The events of a segment that is still here, in order. */
  read(segment: PositionRange): AsyncIterable<readonly StoredEvent[]>;
  /**
   * Lets go of the oldest segment that is still here: from one moment to the next, readers find it in the archive under
   * this name instead. Nothing changes where it had gone there before.
   */
  release(segment: PositionRange, name: string): Promise<void>;
  /** Removes what a release that was cut off left behind. */
  tidy(): Promise<void>;
}
