import {
  type ClaimedReplay,
  type Replay,
  type ReplayClaim,
  ReplayClaimLost,
  type ReplayStore,
} from "../../ports/replay-store.ts";
import { openMigrated, type PostgresSource } from "../engines/open-migrated.ts";
import type { SqlSession } from "../engines/sql.ts";
import { statements } from "./postgres-statements.ts";
import { byStateOf, claimedOf, endOf, toReplay } from "./rows.ts";

/** Replays in PostgreSQL; brings the schema up to date first. With `sql` the connections are the caller's. */
export async function openPostgresReplayStore(
  source: PostgresSource,
): Promise<ReplayStore & { close(): Promise<void> }> {
  const { sql, close } = await openMigrated(source);

  async function get(session: SqlSession, id: string): Promise<Replay | null> {
    const [row] = await session.query(statements.get, [id]);
    return row === undefined ? null : toReplay(row);
  }
  /** All of `work` or nothing, for who holds the claim: the lock of its row keeps others from taking it meanwhile. */
  async function holding(claim: ReplayClaim, work: (session: SqlSession) => Promise<unknown>): Promise<void> {
    await sql.transaction(async (session) => {
      const rows = await session.query(statements.hold, [claim.id, claim.attempt]);
      if (rows.length === 0) throw new ReplayClaimLost(claim.id);
      await work(session);
    });
  }

  return {
    async add(replay, openMax) {
      const { id, kind, input, idempotencyKey: key, requestedBy, createdAt } = replay;
      const values = [id, kind, JSON.stringify(input), key, requestedBy, createdAt, openMax];
      await sql.query(statements.add, values);
      const [row] = await sql.query(statements.findAdded, [id, key, requestedBy]);
      if (row !== undefined) {
        const found = toReplay(row);
        return { status: found.id === id ? "added" : "known", replay: found };
      }
      const [counted] = await sql.query(statements.countOpen);
      return { status: "full", open: Number(counted?.[0]) };
    },
    get: (id) => get(sql, id),
    async list({ limit, before = null, kind = null, state = null }) {
      return (await sql.query(statements.list, [before, kind, state, limit])).map(toReplay);
    },
    async due(now, limit) {
      return (await sql.query(statements.due, [now, limit])).map(([id]) => id ?? "");
    },
    async counts(now) {
      const states = await sql.query(statements.countByState);
      const oldest = states.find(([state]) => state === "queued")?.[2];
      const [bytes] = await sql.query(statements.fileBytes);
      return {
        byState: byStateOf(states.map(([state, n]) => [state ?? "", Number(n)])),
        oldestQueuedMs: typeof oldest === "string" ? Math.max(0, now - Math.round(Number(oldest))) : null,
        fileBytes: Number(bytes?.[0]),
      };
    },
    claim(id, now, until): Promise<ClaimedReplay | null> {
      return sql.transaction(async (session) => {
        const [claimed] = await session.query(statements.claim, [id, now, until]);
        if (claimed === undefined) return null;
        await session.query(statements.dropUnsavedFiles, [id]);
        await session.query(statements.cutChunks, [id]);
        await session.query(statements.cutFiles, [id]);
        const replay = await get(session, id);
        const [attempts, tries, checkpoint] = claimed;
        return replay === null ? null : claimedOf(replay, attempts, tries, checkpoint);
      });
    },
    async keep(claim, until, progress) {
      const { done = null, total = null } = progress ?? {};
      const rows = await sql.query(statements.keep, [claim.id, claim.attempt, until, done, total]);
      if (rows.length === 0) throw new ReplayClaimLost(claim.id);
    },
    addFile: (claim, name, mediaType) =>
      holding(claim, (session) => session.query(statements.addFile, [claim.id, name, mediaType])),
    append: (claim, name, offset, bytes) =>
      holding(claim, async (session) => {
        const rows = await session.query(statements.append, [claim.id, name, offset, bytes]);
        if (rows.length === 0) throw new Error(`${name} does not end at ${offset}`);
      }),
    checkpoint: (claim, state) =>
      holding(claim, async (session) => {
        await session.query(statements.checkpoint, [claim.id, JSON.stringify(state)]);
        await session.query(statements.saveFiles, [claim.id]);
      }),
    async release(claim, dueAt, excused) {
      await sql.query(statements.release, [claim.id, claim.attempt, dueAt, excused ? 1 : 0]);
    },
    async finish(claim, outcome, now) {
      const rows = await sql.query(statements.finish, [claim.id, claim.attempt, ...endOf(outcome), now]);
      if (rows.length === 0) throw new ReplayClaimLost(claim.id);
    },
    cancel: (id, now) =>
      sql.transaction(async (session) => {
        const ended = (await session.query(statements.cancel, [id, now])).length > 0;
        if (ended) await session.query(statements.dropFiles, [id]);
        return ended;
      }),
    remove: async (id) => (await sql.query(statements.remove, [id])).length > 0,
    removeEndedBefore: async (time, limit) => (await sql.query(statements.removeEnded, [time, limit])).length,
    async read(id, name, offset) {
      const [row] = await sql.query(statements.read, [id, name, offset]);
      const hex = row?.[0];
      // The text form of bytea is \x and two digits a byte.
      return typeof hex === "string" ? Buffer.from(hex.slice(2), "hex") : Buffer.alloc(0);
    },
    close,
  };
}
