import type { z } from "zod";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Replay, ReplayFileInfo, ReplayListOptions, ReplayStore } from "../../ports/replay-store.ts";
import type { ReplayKind } from "./replay-kind.ts";

export interface ReplaysDeps {
  readonly store: ReplayStore;
  readonly kinds: readonly ReplayKind<unknown>[];
  readonly clock: Clock;
  readonly log: Log;
  /** How long one is kept after its end, milliseconds; null: until it is removed. */
  readonly retentionMs: number | null;
  /** UUIDs. */
  readonly randomId: () => string;
  /** Says at once that a replay is there to be worked on; workers look by themselves too, now and then. */
  readonly announce: ((id: string) => Promise<unknown>) | null;
}

export interface ReplayRequest {
  readonly kind: string;
  /** Not checked yet. */
  readonly input: unknown;
  readonly idempotencyKey: string | null;
  readonly requestedBy: string | null;
  /** An operator asks. */
  readonly mayAll: boolean;
}

export type ReplayAnswer =
  | { readonly status: "added" | "known"; readonly replay: Replay }
  | { readonly status: "unknown kind"; readonly kinds: readonly string[] }
  | { readonly status: "invalid"; readonly issues: readonly z.core.$ZodIssue[] }
  /** The key was used for another request; `replay` is that of before. */
  | { readonly status: "key used"; readonly replay: Replay }
  | { readonly status: "operators only" }
  | { readonly status: "full"; readonly open: number };

/** Asking for replays, and for what came of them. */
export interface Replays extends Pick<ReplayStore, "get" | "remove"> {
  readonly kinds: readonly Pick<ReplayKind<unknown>, "kind" | "input">[];
  request(request: ReplayRequest): Promise<ReplayAnswer>;
  list(options: ReplayListOptions): Promise<Replay[]>;
  /** When it is removed by itself, milliseconds since 1970; null where that is not known yet, or never. */
  expiresAt(replay: Replay): number | null;
  /** False where it has ended already, or there is none. */
  cancel(id: string): Promise<boolean>;
  /** The bytes of a file as they are now, in pieces, read only as fast as they are taken. Throws where it is gone meanwhile. */
  content(id: string, file: ReplayFileInfo): AsyncGenerator<Buffer>;
}

/** So many may wait or run. */
const openMax = 1_000;

export function createReplays(deps: ReplaysDeps): Replays {
  const { store, kinds, clock, log, retentionMs, randomId, announce } = deps;
  return {
    kinds,
    async request({ kind: name, input, idempotencyKey, requestedBy, mayAll }) {
      const kind = kinds.find((one) => one.kind === name);
      if (kind === undefined) return { status: "unknown kind", kinds: kinds.map((one) => one.kind) };
      const parsed = kind.input.safeParse(input);
      if (!parsed.success) return { status: "invalid", issues: parsed.error.issues };
      if (!mayAll && kind.operatorsOnly?.(parsed.data) === true) return { status: "operators only" };
      const replay = { id: randomId(), kind: name, input: parsed.data, idempotencyKey, requestedBy };
      const answer = await store.add({ ...replay, createdAt: clock.now() }, openMax);
      if (answer.status === "full") return answer;
      if (answer.status === "known" && !isSame(answer.replay, replay))
        return { status: "key used", replay: answer.replay };
      if (answer.status === "added") {
        // It is stored: workers find it in any case.
        await announce?.(replay.id).catch((err: unknown) => log.warn({ err }, "a replay could not be announced"));
      }
      return { status: answer.status, replay: answer.replay };
    },
    get: (id) => store.get(id),
    list: (options) => store.list(options),
    expiresAt: ({ endedAt }) => (endedAt === null || retentionMs === null ? null : endedAt + retentionMs),
    cancel: (id) => store.cancel(id, clock.now()),
    remove: (id) => store.remove(id),
    async *content(id, { name, bytes }) {
      for (let offset = 0; offset < bytes; ) {
        const piece = (await store.read(id, name, offset)).subarray(0, bytes - offset);
        if (piece.length === 0) throw new Error(`${name} of the replay ${id} is gone`);
        offset += piece.length;
        yield piece;
      }
    },
  };
}

/** Both have come through the same schema, so their fields are in one order. */
const isSame = (a: Pick<Replay, "kind" | "input">, b: Pick<Replay, "kind" | "input">): boolean =>
  a.kind === b.kind && JSON.stringify(a.input) === JSON.stringify(JSON.parse(JSON.stringify(b.input)));
