export const scopes = ["client", "author", "analyst", "operator"] as const;
export type Scope = (typeof scopes)[number];

/** A key as it is stored: the secret itself is never kept, only its SHA-256. */
export interface ApiKey {
  /** Public part, safe to log. */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the whole key, hex. A key has 256 random bits, so a slow password hash would protect nothing more. */
  readonly hash: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

export interface ApiKeys {
  add(key: ApiKey): Promise<void>;
  find(id: string): Promise<ApiKey | null>;
  list(): Promise<ApiKey[]>;
  /** False where there is no such key. */
  revoke(id: string, at: string): Promise<boolean>;
}
