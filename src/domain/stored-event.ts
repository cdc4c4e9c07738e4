import type { EventPlace } from "./events.ts";

/** An event as the log holds it, before anything is believed of it. */
export interface StoredEvent extends EventPlace {
  readonly type: string;
  readonly data: unknown;
  readonly metadata: unknown;
}

/** An event of the log that this version of the code cannot read. */
export class UnreadableEvent extends Error {
  override readonly name = "UnreadableEvent";
  readonly event: StoredEvent;
  constructor(event: StoredEvent, why: string) {
    super(`event at position ${event.position} (${event.type}, ${event.stream} revision ${event.revision}): ${why}`);
    this.event = event;
  }
}
