import { crc32 } from "node:zlib";
import type { ItemsServed } from "../domain/events.ts";
import type { Pieces } from "./pieces.ts";
import { hex, type SelectionId } from "./selection-id.ts";

/** An answer about one learner as JSON, but for what changes from one request to the next. */
export interface Rendered {
  /** Of the learner's stream; 0 where nothing is known. */
  readonly revision: number;
  /** When what it is made from was written, milliseconds since 1970; null for never. */
  readonly at: number | null;
  /** Milliseconds since 1970 until which time alone does not change it; null for always. */
  readonly holdsUntil: number | null;
  beforeAge: string;
  afterAge: string;
  /** Each of them is in one piece. */
  inOnePiece: boolean;
  /** Of both, in UTF-8. */
  readonly bytes: number;
  /** Equal wherever the answer is, but for its age; null for one that nobody should keep. */
  readonly etag: string | null;
  /** The list of it, not yet recorded as served, and to be; null otherwise. */
  toRecord: { readonly id: Pick<SelectionId, "chance" | "check">; list(): ItemsServed } | null;
}

/** JSON to be sent: its parts, one after the other. */
export interface Json {
  readonly texts: readonly string[];
  /** Each of them is in one piece, and not a tree of its parts. */
  readonly inPieces: boolean;
  /** Length in UTF-8. */
  readonly bytes: number;
  readonly etag: string | null;
}

export type RenderedFacts = Pick<Rendered, "revision" | "at" | "holdsUntil"> & {
  /** Nobody should keep it: it is not what the read models hold. */
  readonly passing?: boolean;
  readonly toRecord?: Rendered["toRecord"];
};

/** The age, a number or `null`, stands between the two. */
export function rendered(facts: RenderedFacts, beforeAge: string, afterAge: string): Rendered {
  const { revision, at, holdsUntil, toRecord = null } = facts;
  const { texts, bytes, sum } = inOnePiece(beforeAge, afterAge);
  const [before = "", after = ""] = texts;
  const etag = facts.passing ? null : weakTag(revision, bytes, sum);
  return { revision, at, holdsUntil, beforeAge: before, afterAge: after, inOnePiece: true, bytes, etag, toRecord };
}

/** The same of pieces: not in one piece until it is to be sent again, see {@link toSendAgain}. */
export function renderedOf(facts: RenderedFacts, before: Pieces, after: Pieces): Rendered {
  const { revision, at, holdsUntil, toRecord = null } = facts;
  const bytes = before.bytes + after.bytes;
  const etag = facts.passing ? null : weakTag(revision, bytes, (before.sum ^ Math.imul(after.sum, 31)) >>> 0);
  const [beforeAge, afterAge] = [before.text, after.text];
  return { revision, at, holdsUntil, beforeAge, afterAge, inOnePiece: false, bytes, etag, toRecord };
}

/**
 * An answer that is found again. A tree of parts is walked each time it is sent, which takes three times as long as to send
 * one piece; most answers that were read just now are sent once.
 */
export function toSendAgain(answer: Rendered): Rendered {
  if (answer.inOnePiece) return answer;
  const { texts } = inOnePiece(answer.beforeAge, answer.afterAge);
  answer.beforeAge = texts[0] as string;
  answer.afterAge = texts[1] as string;
  answer.inOnePiece = true;
  return answer;
}

/** The whole answer. `fresh` only where a token was given: whether the answer includes its interaction. */
export function finish(answer: Rendered, now: number, fresh: boolean | null): Json {
  const age = answer.at === null ? "null" : String(Math.max(0, now - answer.at));
  const end = fresh === null ? "}" : `,"fresh":${fresh}}`;
  const { inOnePiece } = answer;
  // What is no longer a tree may be sent piece by piece.
  const texts = inOnePiece
    ? [answer.beforeAge, age, answer.afterAge, end]
    : [answer.beforeAge + age + answer.afterAge + end];
  // Who waits for an interaction in vain should not be told that nothing has changed.
  const bytes = answer.bytes + age.length + end.length;
  return { texts, inPieces: inOnePiece, bytes, etag: fresh === false ? null : answer.etag };
}

/** JSON that has no age. */
export function whole(json: string): Json {
  const { texts, bytes, sum } = inOnePiece(json);
  return { texts, inPieces: true, bytes, etag: weakTag(0, bytes, sum) };
}

/** Weak, because the age is left out: equal where two answers say the same (RFC 9110, 8.8.1). */
const weakTag = (revision: number, bytes: number, sum: number): string => `W/"${revision}-${bytes}-${hex(sum)}"`;

const scratch = Buffer.allocUnsafe(64 * 1024);

/** A string put together by `+` is a tree of its parts until then. `bytes` and `sum` (CRC-32) are of all texts together. */
function inOnePiece(...given: readonly string[]) {
  let length = 0;
  for (const text of given) length += text.length;
  const buffer = length * 3 <= scratch.length ? scratch : Buffer.allocUnsafe(length * 3);
  const texts: string[] = [];
  let bytes = 0;
  for (const text of given) {
    const end = bytes + buffer.write(text, bytes);
    texts.push(
      end - bytes === text.length ? buffer.toString("latin1", bytes, end) : buffer.toString("utf8", bytes, end),
    );
    bytes = end;
  }
  return { texts, bytes, sum: crc32(buffer.subarray(0, bytes)) };
}
