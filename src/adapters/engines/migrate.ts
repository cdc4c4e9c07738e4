import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type OwnSession, type Sql, SqlError, type SqlSession } from "./sql.ts";

/**
 * One file of infra/postgres/migrations: `<version>-<what>.sql`, without a gap. The first is the baseline: all that came
 * before it, in one; its first line may be `-- also applied as <sha256>`, the checksum of what had its version before.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

export interface MigrateOptions {
  /**
   * A statement of a migration gives up waiting for a lock after this long: who comes after it in the queue, all appends
   * among them, waits behind it that long. The migration is then tried again.
   */
  readonly lockTimeoutMs?: number;
  /** How long it is tried again, and how long another process that migrates is waited for. */
  readonly patienceMs?: number;
}

/** Any number, but the same in every process: only one migrates at a time. */
const advisoryLock = 7_011_897_301;

/**
 * Brings the database up to the newest migration, and resolves with the names of those applied now. Each is one
 * transaction; one that begins with `-- no transaction` is run statement by statement instead, for what takes long and
 * locks nobody out (CREATE INDEX CONCURRENTLY). What was applied stays applied where a later one fails.
 * Rejects, and changes nothing, where an applied migration has been edited since, or the database is newer than this code.
 */
export async function migrate(
  sql: Sql,
  migrations?: readonly Migration[],
  { lockTimeoutMs = 200, patienceMs = 120_000 }: MigrateOptions = {},
): Promise<string[]> {
  const all = migrations ?? (await readMigrations());
  return sql.session(async (session) => {
    const names: string[] = [];
    const endsAt = performance.now() + patienceMs;
    // Without any lock: nearly every start finds nothing to do.
    for (const migration of await missing(session, all)) {
      const apply = isTransaction(migration) ? inTransaction : withoutTransaction;
      if (await patiently(endsAt, migration, () => apply(session, migration, all, lockTimeoutMs))) {
        names.push(migration.name);
      }
    }
    return names;
  });
}

/** In order. Throws where the database and the code do not fit. */
async function missing(session: SqlSession, migrations: readonly Migration[]): Promise<Migration[]> {
  const [table] = await session.query("SELECT to_regclass('schema_migrations')");
  const rows =
    table?.[0] == null
      ? []
      : await session.query("SELECT version, name, checksum FROM schema_migrations ORDER BY version");
  const done = new Map(rows.map(([version, name, checksum]) => [Number(version), { name, checksum }]));
  const [first, newest] = [migrations[0]?.version ?? 0, migrations.at(-1)?.version ?? 0];
  for (const [version, { name }] of done) {
    if (version > newest) {
      throw new Error(`the database has migration ${name}, which this Proximal does not know: upgrade it`);
    }
    if (version < first && !done.has(first)) {
      throw new Error(
        `the database is of before the first release (${name}): see "Before the baseline", docs/postgres.md`,
      );
    }
  }
  return migrations.filter((migration) => {
    const before = done.get(migration.version);
    if (before === undefined) return true;
    if (before.checksum === checksumOf(migration) || before.checksum === alsoAppliedAs(migration)) return false;
    throw new Error(`migration ${migration.name} was edited after it had been applied: undo that and add a new one`);
  });
}

/** "busy": another process migrates. Otherwise whether it was applied now; false says that it had been by then. */
type Attempt = "busy" | boolean;

async function inTransaction(
  session: SqlSession,
  migration: Migration,
  all: readonly Migration[],
  lockTimeoutMs: number,
): Promise<Attempt> {
  await session.script(`BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = ${lockTimeoutMs}`);
  try {
    // Waiting for it would be a statement with an old snapshot, which CREATE INDEX CONCURRENTLY waits for in turn.
    const [lock] = await session.query("SELECT pg_try_advisory_xact_lock($1::bigint)", [advisoryLock]);
    const attempt = lock?.[0] === "t" ? await isMissing(session, migration, all) : "busy";
    if (attempt === true) {
      await session.script(migration.sql);
      await note(session, migration);
    }
    await session.script("COMMIT");
    return attempt;
  } catch (error) {
    // Where the connection is gone the server rolls back by itself.
    await session.script("ROLLBACK").catch(() => {});
    throw error;
  }
}

async function withoutTransaction(
  session: OwnSession,
  migration: Migration,
  all: readonly Migration[],
): Promise<Attempt> {
  if (!session.keepsState) {
    throw new Error(`migration ${migration.name} cannot go through a pooler: give the server's own URL as well`);
  }
  const [lock] = await session.query("SELECT pg_try_advisory_lock($1::bigint)", [advisoryLock]);
  if (lock?.[0] !== "t") return "busy";
  try {
    const attempt = await isMissing(session, migration, all);
    if (attempt) {
      // The lock of CONCURRENTLY keeps nobody out, and it waits for old transactions: it may take its time.
      await session.script("SET statement_timeout = 0");
      await session.script("SET lock_timeout = 0");
      for (const statement of statementsOf(migration.sql)) await session.script(statement);
      await note(session, migration);
    }
    return attempt;
  } finally {
    await session.query("SELECT pg_advisory_unlock($1::bigint)", [advisoryLock]).catch(() => {});
  }
}

async function isMissing(session: SqlSession, migration: Migration, all: readonly Migration[]): Promise<boolean> {
  await session.script(`
    CREATE TABLE IF NOT EXISTS schema_migrations (
      version integer PRIMARY KEY,
      name text NOT NULL,
      checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
  return (await missing(session, all)).some(({ version }) => version === migration.version);
}

async function note(session: SqlSession, migration: Migration): Promise<void> {
  const insert = "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1::integer, $2, $3)";
  await session.query(insert, [migration.version, migration.name, checksumOf(migration)]);
}

/** Tries again while another process migrates, and while locks are not to be had: others get their turn in between. */
async function patiently(endsAt: number, { name }: Migration, tryOnce: () => Promise<Attempt>): Promise<boolean> {
  for (let delayMs = 50; ; delayMs = Math.min(delayMs * 2, 1_000)) {
    let why = "another process migrates";
    try {
      const attempt = await tryOnce();
      if (attempt !== "busy") return attempt;
      // It is nearly done, as a rule.
      delayMs = 50;
    } catch (error) {
      if (!(error instanceof SqlError) || !["55P03", "40P01"].includes(error.code ?? "")) throw error;
      why = `it does not get its locks: a transaction elsewhere lasts too long (${error.message})`;
    }
    if (performance.now() > endsAt) throw new Error(`gave up on migration ${name}: ${why}`);
    await sleep(delayMs * (0.5 + Math.random()));
  }
}

/** False for one whose first line is `-- no transaction`. */
export function isTransaction({ sql }: Migration): boolean {
  return !/^-- no transaction\r?\n/.test(sql);
}

/** Each ends with a semicolon at the end of a line; comments are whole lines. No bodies of functions, therefore. */
export function statementsOf(sql: string): string[] {
  const withoutComments = sql.replace(/^\s*--.*$/gm, "");
  return withoutComments.split(/;[ \t]*\r?$/m).flatMap((part) => part.trim() || []);
}

function alsoAppliedAs({ sql }: Migration): string | undefined {
  return /^-- also applied as ([0-9a-f]{64})\r?\n/.exec(sql)?.[1];
}

function checksumOf(migration: Migration): string {
  return createHash("sha256").update(migration.sql.replaceAll("\r\n", "\n")).digest("hex");
}

/** Reads the migrations that belong to this code, in order. */
export async function readMigrations(folder = migrationsFolder()): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
  return Promise.all(
    files.map(async (file, i) => {
      const version = versionOf(file);
      const expected = versionOf(files[0] ?? "") + i;
      if (version !== expected) throw new Error(`migration ${file} should be number ${expected}`);
      return { version, name: file.slice(0, -4), sql: await readFile(`${folder}/${file}`, "utf8") };
    }),
  );
}

function versionOf(file: string): number {
  const version = Number(/^(\d{4})-/.exec(file)?.[1]);
  if (Number.isNaN(version)) throw new Error(`migration ${file} should be named <four digits>-<what>.sql`);
  return version;
}

/** Three folders up from the sources, four from the build in dist/. */
function migrationsFolder(): string {
  const folders = ["../../../", "../../../../"].map((up) =>
    fileURLToPath(new URL(`${up}infra/postgres/migrations`, import.meta.url)),
  );
  const found = folders.find((folder) => existsSync(folder));
  if (found === undefined) throw new Error(`no folder of migrations at ${folders.join(" or ")}`);
  return found;
}
