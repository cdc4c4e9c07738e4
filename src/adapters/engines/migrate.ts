import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Sql, SqlSession } from "./sql.ts";

/** One file of infra/postgres/migrations: `<version>-<what>.sql`, versions 0001, 0002, ... without a gap. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** Any number, but the same in every process: only one migrates at a time. */
const advisoryLock = 7_011_897_301;

/**
 * Brings the database up to the newest migration, in one transaction, and resolves with the names of those applied now.
 * Rejects, and changes nothing, where an applied migration has been edited since, or the database is newer than this code.
 */
export async function migrate(sql: Sql, migrations?: readonly Migration[]): Promise<string[]> {
  const all = migrations ?? (await readMigrations());
  return sql.session(async (session) => {
    await session.query("BEGIN");
    try {
      await session.query("SELECT pg_advisory_xact_lock($1::bigint)", [advisoryLock]);
      const applied = await applyMissing(session, all);
      await session.query("COMMIT");
      return applied;
    } catch (error) {
      await session.query("ROLLBACK");
      throw error;
    }
  });
}

async function applyMissing(session: SqlSession, migrations: readonly Migration[]): Promise<string[]> {
  await session.script(`
    CREATE TABLE IF NOT EXISTS schema_migrations (
      version integer PRIMARY KEY,
      name text NOT NULL,
      checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
  const rows = await session.query("SELECT version, name, checksum FROM schema_migrations ORDER BY version");
  const done = new Map(rows.map(([version, name, checksum]) => [Number(version), { name, checksum }]));
  for (const [version, { name }] of done) {
    if (!migrations.some((migration) => migration.version === version)) {
      throw new Error(`the database has migration ${name}, which this Proximal does not know: upgrade it`);
    }
  }
  const names: string[] = [];
  for (const migration of migrations) {
    const checksum = checksumOf(migration);
    const before = done.get(migration.version);
    if (before === undefined) {
      await session.script(migration.sql);
      const insert = "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1::integer, $2, $3)";
      await session.query(insert, [migration.version, migration.name, checksum]);
      names.push(migration.name);
    } else if (before.checksum !== checksum) {
      throw new Error(`migration ${migration.name} was edited after it had been applied: undo that and add a new one`);
    }
  }
  return names;
}

function checksumOf(migration: Migration): string {
  return createHash("sha256").update(migration.sql.replaceAll("\r\n", "\n")).digest("hex");
}

/** Reads the migrations that belong to this code, in order. */
export async function readMigrations(folder = migrationsFolder()): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
  return Promise.all(
    files.map(async (file, i) => {
      const version = Number(/^(\d{4})-/.exec(file)?.[1]);
      if (version !== i + 1) throw new Error(`migration ${file} should be number ${i + 1}`);
      return { version, name: file.slice(0, -4), sql: await readFile(`${folder}/${file}`, "utf8") };
    }),
  );
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
