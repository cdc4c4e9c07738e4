import { timingSafeEqual } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import { apiKeyPattern, digestOfApiKey } from "../commands/api-keys.ts";
import type { ApiKey, ApiKeys, Scope } from "../ports/api-keys.ts";
import type { Clock } from "../ports/clock.ts";

/** A caller whose key was found good. */
export interface Caller {
  readonly keyId: string;
  readonly scopes: ReadonlySet<Scope>;
}

export interface Authenticator {
  /**
   * Who presents this key; null for a key that is malformed, unknown, wrong, revoked or expired. Answers at once while the
   * key is in memory. Rejects where the key store does not answer and the key was never seen.
   */
  verify(key: string): Caller | null | Promise<Caller | null>;
  /** Whose key this is, while it is in memory and good; null for any other. */
  known(key: string): Caller | null;
}

interface Known {
  readonly hash: Buffer;
  /** The key itself, once it was found good: comparing it costs a fraction of hashing what is presented. */
  key: Buffer | null;
  readonly caller: Caller;
  /** Milliseconds since 1970; Infinity for never. */
  readonly expiresAt: number;
  readonly works: boolean;
  /** Until when what is kept here may be believed without asking again. */
  readonly freshUntil: number;
}

/** A revoked key stops working within 5 s: within this, and a second for what fast-next.ts believes of a connection. */
export const keyCacheMs = 4_000;
/** A key seen before still works this long while the key store does not answer: reads go on when the log is down. */
const graceMs = 10 * 60_000;
/** A store that hangs is not waited for longer where the key was seen before: nor are its reads to wait. */
const storeWaitMs = 100;
/** Compared against for an unknown id, so that unknown and wrong take the same path. */
const noHash = Buffer.alloc(32);

interface LookUp {
  readonly found: Promise<Known | null>;
  /** The same; undefined where the store had not answered within {@link storeWaitMs}. */
  readonly soon: Promise<Known | null | undefined>;
}

/** What was learnt just now is believed for `keptMs`; a clock that is set back does not make that longer. */
export const isFresh = (freshUntil: number, keptMs: number, now: number): boolean =>
  now < freshUntil && freshUntil - now <= keptMs;

/** Verifies keys against their stored SHA-256, in constant time. Known and unknown ids are kept for 5 s, a bounded number of each. */
export function createAuthenticator(apiKeys: ApiKeys, clock: Clock, maxKept = 10_000): Authenticator {
  const known = new LRUCache<string, Known>({ max: maxKept });
  const unknown = new LRUCache<string, number>({ max: maxKept });
  const lookups = new Map<string, LookUp>();

  async function lookUp(id: string): Promise<Known | null> {
    const now = clock.now();
    try {
      const stored = await apiKeys.find(id);
      if (stored === null) {
        known.delete(id);
        unknown.set(id, now + keyCacheMs);
        return null;
      }
      const entry = knownKey(stored, now);
      known.set(id, entry);
      return entry;
    } catch (error) {
      const last = known.get(id);
      if (last !== undefined && now < last.freshUntil + graceMs) return last;
      throw error;
    } finally {
      lookups.delete(id);
    }
  }

  function lookUpOnce(id: string): LookUp {
    const running = lookups.get(id);
    if (running !== undefined) return running;
    const found = lookUp(id);
    const soon = Promise.race([found, sleep(storeWaitMs, undefined, { ref: false })]);
    // Whoever still waits for it is told.
    found.catch(() => undefined);
    soon.catch(() => undefined);
    const started = { found, soon };
    lookups.set(id, started);
    return started;
  }

  async function asked(id: string): Promise<Known | null> {
    const { found, soon } = lookUpOnce(id);
    const last = known.get(id);
    if (last === undefined || clock.now() >= last.freshUntil + graceMs) return found;
    const answered = await soon;
    return answered === undefined ? last : answered;
  }

  /** undefined where the store has to be asked. */
  function inMemory(id: string, key: string, now: number): Caller | null | undefined {
    const entry = known.peek(id);
    return entry !== undefined && isFresh(entry.freshUntil, keyCacheMs, now) ? check(entry, key, now) : undefined;
  }

  return {
    known(key) {
      const id = apiKeyPattern.exec(key)?.[1];
      return id === undefined ? null : (inMemory(id, key, clock.now()) ?? null);
    },
    verify(key) {
      const id = apiKeyPattern.exec(key)?.[1];
      if (id === undefined) return null;
      const now = clock.now();
      const caller = inMemory(id, key, now);
      if (caller !== undefined) return caller;
      if (isFresh(unknown.get(id) ?? 0, keyCacheMs, now)) return check(null, key, now);
      return asked(id).then((found) => check(found, key, clock.now()));
    },
  };
}

function knownKey(stored: ApiKey, now: number): Known {
  return {
    hash: Buffer.from(stored.hash, "hex"),
    key: null,
    caller: { keyId: stored.id, scopes: new Set(stored.scopes) },
    expiresAt: stored.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(stored.expiresAt),
    works: stored.revokedAt === null,
    freshUntil: now + keyCacheMs,
  };
}

/** Both comparisons take the same time wherever the first difference is. */
function check(entry: Known | null, key: string, now: number): Caller | null {
  const good = entry?.key != null ? isSame(entry.key, key) : hasHash(entry, key);
  if (entry === null || !good) return null;
  entry.key ??= Buffer.from(key, "latin1");
  return entry.works && now < entry.expiresAt ? entry.caller : null;
}

function hasHash(entry: Known | null, key: string): boolean {
  const expected = entry !== null && entry.hash.length === 32 ? entry.hash : noHash;
  return timingSafeEqual(digestOfApiKey(key), expected) && entry !== null;
}

/** Keys are all of one length, and ASCII: apiKeyPattern. */
const presented = Buffer.alloc(256);
function isSame(known: Buffer, key: string): boolean {
  const length = presented.write(key, "latin1");
  return length === known.length && timingSafeEqual(presented.subarray(0, length), known);
}

/** The key of `Authorization: Bearer` or of `x-api-key`; null where there is neither. */
export function presentedKey(headers: Readonly<Record<string, string | string[] | undefined>>): string | null {
  const authorization = headers.authorization;
  if (typeof authorization === "string" && /^bearer /i.test(authorization)) return authorization.slice(7).trim();
  const header = headers["x-api-key"];
  return typeof header === "string" ? header.trim() : null;
}

/** An operator may do everything; anyone else needs one of the scopes. */
export function mayCall(caller: Caller, scopes: readonly Scope[]): boolean {
  if (caller.scopes.has("operator")) return true;
  for (const scope of scopes) if (caller.scopes.has(scope)) return true;
  return false;
}
