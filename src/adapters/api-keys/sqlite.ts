import { join } from "node:path";
import type { SQLOutputValue } from "node:sqlite";
import type { ApiKey, ApiKeys } from "../../ports/api-keys.ts";
import { openSqlite } from "../engines/sqlite.ts";
import { scopesFromText, scopesToText } from "./stored-scopes.ts";

const migrations = [
  `
  CREATE TABLE api_keys (
    added INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    hash TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT
  ) STRICT;
  `,
];
const columns = "id, name, scopes, hash, created_at, expires_at, revoked_at";

/** API keys in a file of their own beside the log. The CLI may have it open together with the server. */
export async function openSqliteApiKeys(options: {
  readonly folder: string;
}): Promise<ApiKeys & { close(): Promise<void> }> {
  const database = openSqlite(join(options.folder, "api-keys.sqlite"), migrations);
  const add = database.prepare(`INSERT INTO api_keys (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const find = database.prepare(`SELECT ${columns} FROM api_keys WHERE id = ?`);
  const list = database.prepare(`SELECT ${columns} FROM api_keys ORDER BY added`);
  // The first revocation stays.
  const revoke = database.prepare("UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?");
  return {
    async add({ id, name, scopes, hash, createdAt, expiresAt, revokedAt }) {
      add.run(id, name, scopesToText(scopes), hash, createdAt, expiresAt, revokedAt);
    },
    async find(id) {
      const row = find.get(id);
      return row === undefined ? null : toApiKey(row);
    },
    list: async () => list.all().map(toApiKey),
    revoke: async (id, at) => Number(revoke.run(at, id).changes) > 0,
    async close() {
      if (database.isOpen) database.close();
    },
  };
}

function toApiKey(row: Record<string, SQLOutputValue>): ApiKey {
  const textOrNull = (value: SQLOutputValue | undefined) => (typeof value === "string" ? value : null);
  return {
    id: String(row.id),
    name: String(row.name),
    scopes: scopesFromText(String(row.scopes)),
    hash: String(row.hash),
    createdAt: String(row.created_at),
    expiresAt: textOrNull(row.expires_at),
    revokedAt: textOrNull(row.revoked_at),
  };
}
