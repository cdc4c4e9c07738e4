import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApiKey, ApiKeys } from "../../ports/api-keys.ts";

export interface OpenedApiKeys {
  readonly keys: ApiKeys;
  /** The same store opened once more, as another process would; where the engine can. */
  readonly openAnother?: () => Promise<ApiKeys & { close(): Promise<void> }>;
  close(): Promise<void>;
}

function newKey(id: string, fields: Partial<ApiKey> = {}): ApiKey {
  return {
    id,
    name: `key ${id}`,
    scopes: ["client"],
    hash: "0".repeat(64),
    createdAt: "2026-03-01T09:30:00.250Z",
    expiresAt: null,
    revokedAt: null,
    ...fields,
  };
}

/** What every adapter of ApiKeys must do. `open` gives an empty store. */
export function apiKeysContract(name: string, open: () => Promise<OpenedApiKeys>): void {
  describe(name, () => {
    let opened: OpenedApiKeys;
    let keys: ApiKeys;
    beforeAll(async () => {
      opened = await open();
      keys = opened.keys;
    });
    afterAll(() => opened.close());

    test("finds what was added, as it was; lists in the order of adding", async () => {
      const added = [
        newKey("z"),
        newKey("a", { name: 'Zoë\'s "key", {1}', scopes: ["client", "author", "analyst", "operator"] }),
        newKey("m", { scopes: [], expiresAt: "2027-01-01T00:00:00.000Z", revokedAt: "2026-04-01T00:00:00.001Z" }),
      ];
      for (const key of added) await keys.add(key);
      expect(await keys.list()).toEqual(added);
      for (const key of added) expect(await keys.find(key.id)).toEqual(key);
      expect(await keys.find("nobody")).toBeNull();
    });

    test("an id is added once", async () => {
      await expect(keys.add(newKey("z", { hash: "1".repeat(64) }))).rejects.toThrow();
      expect(await keys.find("z")).toEqual(newKey("z"));
    });

    test("revokes, and the first time stays", async () => {
      expect(await keys.revoke("z", "2026-05-01T00:00:00.000Z")).toBe(true);
      expect(await keys.revoke("z", "2026-06-01T00:00:00.000Z")).toBe(true);
      expect(await keys.find("z")).toEqual(newKey("z", { revokedAt: "2026-05-01T00:00:00.000Z" }));
      expect(await keys.revoke("nobody", "2026-05-01T00:00:00.000Z")).toBe(false);
    });

    test("a revocation through another handle counts at once", async () => {
      const another = await opened.openAnother?.();
      // A store in memory has one handle only.
      if (another === undefined) return;
      await keys.add(newKey("shared"));
      expect(await another.revoke("shared", "2026-05-01T00:00:00.000Z")).toBe(true);
      await another.close();
      expect((await keys.find("shared"))?.revokedAt).toBe("2026-05-01T00:00:00.000Z");
    });
  });
}
