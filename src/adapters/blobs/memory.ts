import type { Blobs } from "../../ports/blobs.ts";

/** For tests: forgets everything when the process ends. */
export function createMemoryBlobs(): Blobs {
  const kinds = new Map<string, Map<string, Buffer>>();
  async function put(kind: string, name: string, bytes: Uint8Array): Promise<void> {
    const blobs = kinds.get(kind) ?? new Map<string, Buffer>();
    kinds.set(kind, blobs);
    // Deleted first, because a Map keeps the place of a key that is set again.
    blobs.delete(name);
    blobs.set(name, Buffer.from(bytes));
  }
  return {
    put,
    async putNew(kind, name, bytes) {
      const known = kinds.get(kind)?.get(name);
      if (known === undefined) await put(kind, name, bytes);
      return Buffer.from(known ?? bytes);
    },
    async get(kind, name) {
      const bytes = kinds.get(kind)?.get(name);
      return bytes === undefined ? null : Buffer.from(bytes);
    },
    names: async (kind) => [...(kinds.get(kind)?.keys() ?? [])],
    async remove(kind, name) {
      kinds.get(kind)?.delete(name);
    },
  };
}
