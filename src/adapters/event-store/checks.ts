import type { AppendRequest } from "../../ports/event-store.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const controlCharacter = /\p{Cc}/u;

/**
 * Throws RangeError on what no engine may see: a caller's bug, the same for every adapter, so that none is kinder than
 * another. (Lone surrogates would all become one character in UTF-8, and so two streams would become one.)
 */
export function checkRequests(requests: readonly AppendRequest[]): void {
  // Mostly one for a whole commit.
  let knownTime: string | null = null;
  for (const request of requests) {
    checkStream(request.stream);
    if (request.events.length === 0) throw new RangeError(`append to ${request.stream}: no events`);
    checkExpected(request);
    for (const event of request.events) {
      if (!uuid.test(event.eventId)) throw new RangeError(`event id "${event.eventId}" is not a lower-case UUID`);
      if (event.type === "") throw new RangeError(`event ${event.eventId}: empty type`);
      if (event.recordedAt === knownTime) continue;
      if (Number.isNaN(Date.parse(event.recordedAt))) {
        throw new RangeError(`event ${event.eventId}: recordedAt "${event.recordedAt}" is not a time`);
      }
      knownTime = event.recordedAt;
    }
  }
}

function checkExpected({ stream, expected }: AppendRequest): void {
  if (expected === "any" || expected === "none" || (Number.isSafeInteger(expected) && expected >= 0)) return;
  throw new RangeError(`append to ${stream}: expected revision ${String(expected)}`);
}

export function checkStream(stream: string): void {
  if (stream.length > 0 && stream.isWellFormed() && !controlCharacter.test(stream)) return;
  throw new RangeError(`${JSON.stringify(stream)} is no name of a stream`);
}

/** Positive whole number; throws RangeError otherwise. */
export function checkLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`limit ${limit}`);
}

/** Position: 0 or a positive whole number; throws RangeError otherwise. */
export function checkPosition(position: number): void {
  if (!Number.isSafeInteger(position) || position < 0) throw new RangeError(`position ${position}`);
}
