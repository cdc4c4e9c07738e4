import type { ApiKey, ApiKeys } from "../../ports/api-keys.ts";

/** For tests: forgets everything when the process ends. */
export function createMemoryApiKeys(): ApiKeys {
  const keys = new Map<string, ApiKey>();
  return {
    async add(key) {
      if (keys.has(key.id)) throw new Error(`an API key with id ${key.id} exists already`);
      keys.set(key.id, { ...key, scopes: [...key.scopes] });
    },
    find: async (id) => keys.get(id) ?? null,
    list: async () => [...keys.values()],
    async revoke(id, at) {
      const key = keys.get(id);
      if (key === undefined) return false;
      if (key.revokedAt === null) keys.set(id, { ...key, revokedAt: at });
      return true;
    },
  };
}
