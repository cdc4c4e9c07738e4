import { hash, randomBytes } from "node:crypto";
import type { ApiKey, ApiKeys, Scope } from "../ports/api-keys.ts";
import type { Clock } from "../ports/clock.ts";

export interface ApiKeyDeps {
  readonly apiKeys: ApiKeys;
  readonly clock: Clock;
}

export interface NewApiKey {
  /** For people: whose it is. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds from now; never when left out. */
  readonly expiresInMs?: number;
}

/** `pxl_<id>_<secret>`: 64 and 256 random bits, in hex. */
export const apiKeyPattern = /^pxl_([0-9a-f]{16})_[0-9a-f]{64}$/;

/** SHA-256 of the whole key; stored in hex. */
export function digestOfApiKey(key: string): Buffer {
  return hash("sha256", key, "buffer");
}

/** Makes and stores a key. `key` is the secret: shown to its owner once, kept nowhere. */
export async function createApiKey(deps: ApiKeyDeps, input: NewApiKey): Promise<{ key: string; stored: ApiKey }> {
  const id = randomBytes(8).toString("hex");
  const key = `pxl_${id}_${randomBytes(32).toString("hex")}`;
  const now = deps.clock.now();
  const stored: ApiKey = {
    id,
    name: input.name,
    scopes: input.scopes,
    hash: digestOfApiKey(key).toString("hex"),
    createdAt: new Date(now).toISOString(),
    expiresAt: input.expiresInMs === undefined ? null : new Date(now + input.expiresInMs).toISOString(),
    revokedAt: null,
  };
  await deps.apiKeys.add(stored);
  return { key, stored };
}

/** False where there is no such key. Servers notice within 5 seconds. */
export function revokeApiKey(deps: ApiKeyDeps, id: string): Promise<boolean> {
  return deps.apiKeys.revoke(id, new Date(deps.clock.now()).toISOString());
}

/** Revokes every key of that name that still works; returns their ids. */
export async function revokeApiKeysNamed(deps: ApiKeyDeps, name: string): Promise<string[]> {
  const live = (await deps.apiKeys.list()).filter((key) => key.name === name && key.revokedAt === null);
  for (const key of live) await revokeApiKey(deps, key.id);
  return live.map((key) => key.id);
}

/** All keys, newest first, without their hashes. */
export async function listApiKeys(deps: ApiKeyDeps): Promise<Omit<ApiKey, "hash">[]> {
  const keys = await deps.apiKeys.list();
  return keys
    .map(({ hash: _hidden, ...shown }) => shown)
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
}
