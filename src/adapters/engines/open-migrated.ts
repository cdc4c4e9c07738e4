import { migrate } from "./migrate.ts";
import { createPostgres, type PostgresOptions } from "./postgres.ts";
import type { Sql } from "./sql.ts";

/** Where an adapter finds PostgreSQL: a server of its own to connect to, or connections that belong to the caller. */
export type PostgresSource = PostgresOptions | { readonly sql: Sql };

/** Connects and brings the schema up to date; `close` ends the connections unless they are the caller's. */
export async function openMigrated(source: PostgresSource): Promise<{ readonly sql: Sql; close(): Promise<void> }> {
  const ownsIt = !("sql" in source);
  const sql = ownsIt ? createPostgres(source) : source.sql;
  const close = async () => {
    if (ownsIt) await sql.close();
  };
  try {
    await migrate(sql);
  } catch (error) {
    await close();
    throw error;
  }
  return { sql, close };
}
