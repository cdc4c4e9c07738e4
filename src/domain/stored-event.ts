import type { EventPlace } from "./events.ts";

/** An event as the log holds it, before anything is believed of it. */
export interface StoredEvent extends EventPlace {
  readonly type: string;
  readonly data: unknown;
  readonly metadata: unknown;
}

/** W3C trace context of the request that caused it; undefined where the log knows of none. */
export function traceparentOf({ metadata }: Pick<StoredEvent, "metadata">): string | undefined {
  const traceparent = (metadata as { readonly traceparent?: unknown } | null | undefined)?.traceparent;
  return typeof traceparent === "string" ? traceparent : undefined;
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
