import type { InteractionRecorded } from "../events.ts";
import { expectedMsDefault } from "../item-selection/scope.ts";
import type { SessionSoFar } from "../item-selection/selection.ts";

/** A longer time on one item says that the learner was away. */
export const longestCountedMs = 30 * 60_000;
/** Without a word of a new session, one is over after so long without an interaction. */
export const sessionGapMs = 30 * 60_000;

/** What the learner's present session has taken so far: whole numbers, a few bytes. */
export interface Session {
  /** 32-bit hash of the session's id; 0 where none was named. */
  id: number;
  /** Time spent, milliseconds: the durations told; an answer without one counts as the learner's usual. */
  ms: number;
  /** Items answered, viewed or skipped; one done again right after itself counts once. */
  items: number;
  /** Usual duration of this learner's answers, milliseconds; 0: not known. Goes on from session to session. */
  usualMs: number;
}

export const newSession = (): Session => ({ id: 0, ms: 0, items: 0, usualMs: 0 });

/**
 * Folds an interaction in, in place. `sinceMs`: time since the one before, which may be negative. Interactions with one
 * sessionId are one session; one without goes on with the session before it, unless {@link sessionGapMs} passed.
 */
export function evolveSession(
  session: Session,
  data: Pick<InteractionRecorded, "kind" | "sessionId" | "durationMs">,
  { sinceMs, sameItem }: { readonly sinceMs: number; readonly sameItem: boolean },
): void {
  const id = data.sessionId === undefined ? session.id : hashOf(data.sessionId);
  const goesOn = data.sessionId === undefined ? sinceMs < sessionGapMs : id === session.id;
  if (!goesOn) {
    session.id = data.sessionId === undefined ? 0 : id;
    session.ms = 0;
    session.items = 0;
  }
  const told = data.durationMs !== undefined && data.durationMs > 0 ? Math.round(data.durationMs) : null;
  const answered = data.kind === "answer";
  session.ms += Math.min(longestCountedMs, told ?? (answered ? expectedMs(session) : 0));
  const worked = answered || data.kind === "view" || data.kind === "skip";
  if (worked && !(goesOn && sameItem)) session.items += 1;
  if (answered && told !== null && told <= longestCountedMs) {
    session.usualMs = session.usualMs === 0 ? told : Math.round(session.usualMs + (told - session.usualMs) / 5);
  }
}

/** What an item is likely to take this learner, milliseconds. */
export const expectedMs = ({ usualMs }: Pick<Session, "usualMs">): number =>
  usualMs === 0 ? expectedMsDefault : usualMs;

/** What a session has taken by `now`. One that is not named is over some time after the last event, see {@link sessionGapMs}. */
export function sessionSoFar(
  session: Session,
  { lastAt, now, sessionId }: { readonly lastAt: number; readonly now: number; readonly sessionId: string | undefined },
): SessionSoFar {
  const endsAt = sessionId === undefined ? lastAt + sessionGapMs : Number.POSITIVE_INFINITY;
  const isOver = sessionId === undefined ? now >= endsAt : hashOf(sessionId) !== session.id;
  if (isOver) return { ms: 0, items: 0, expectedMs: expectedMs(session), endsAt: Number.POSITIVE_INFINITY };
  return { ms: session.ms, items: session.items, expectedMs: expectedMs(session), endsAt };
}

/** FNV-1a; 0 stands for no session. */
function hashOf(sessionId: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < sessionId.length; at++) hash = Math.imul(hash ^ sessionId.charCodeAt(at), 0x01000193);
  return hash >>> 0 || 1;
}
