import type { ApiKey, ApiKeys } from "../../ports/api-keys.ts";
import { openMigrated, type PostgresSource } from "../engines/open-migrated.ts";
import type { SqlRow } from "../engines/sql.ts";
import { scopesFromText, scopesToText } from "./stored-scopes.ts";

/** Times as milliseconds since 1970, scopes with commas between. */
const columns = `id, name, array_to_string(scopes, ','), hash, date_part('epoch', created_at) * 1000,
  date_part('epoch', expires_at) * 1000, date_part('epoch', revoked_at) * 1000`;

/** Parameters: id, name, scopes with commas between, hash, created, expires or null, revoked or null. */
const add = `
  /* api-keys.add */ INSERT INTO api_keys (id, name, scopes, hash, created_at, expires_at, revoked_at)
  VALUES ($1, $2, string_to_array($3::text, ','), $4, $5::timestamptz, $6::timestamptz, $7::timestamptz)`;
/** Parameter: id. */
const find = `/* api-keys.find */ SELECT ${columns} FROM api_keys WHERE id = $1`;
/** All, in the order of their adding. */
const list = `/* api-keys.list */ SELECT ${columns} FROM api_keys ORDER BY added`;
/** The first revocation stays. Parameters: id, when. Result: a row where there is such a key. */
const revoke =
  "/* api-keys.revoke */ UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2::timestamptz) WHERE id = $1 RETURNING id";

/** API keys in PostgreSQL; brings the schema up to date first. With `sql` the connections are the caller's. */
export async function openPostgresApiKeys(source: PostgresSource): Promise<ApiKeys & { close(): Promise<void> }> {
  const { sql, close } = await openMigrated(source);
  return {
    async add({ id, name, scopes, hash, createdAt, expiresAt, revokedAt }) {
      await sql.query(add, [id, name, scopesToText(scopes), hash, createdAt, expiresAt, revokedAt]);
    },
    async find(id) {
      const [row] = await sql.query(find, [id]);
      return row === undefined ? null : toApiKey(row);
    },
    list: async () => (await sql.query(list)).map(toApiKey),
    revoke: async (id, at) => (await sql.query(revoke, [id, at])).length > 0,
    close,
  };
}

function toApiKey(row: SqlRow): ApiKey {
  const [id, name, scopes, hash, createdAt, expiresAt, revokedAt] = row;
  return {
    id: id ?? "",
    name: name ?? "",
    scopes: scopesFromText(scopes ?? ""),
    hash: hash ?? "",
    createdAt: toTime(createdAt) ?? "",
    expiresAt: toTime(expiresAt),
    revokedAt: toTime(revokedAt),
  };
}

function toTime(milliseconds: string | null | undefined): string | null {
  return typeof milliseconds === "string" ? new Date(Math.round(Number(milliseconds))).toISOString() : null;
}
