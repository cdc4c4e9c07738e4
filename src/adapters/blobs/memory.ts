import type { Blobs } from "../../ports/blobs.ts";

/** For tests: forgets everything when the process ends. */
export function createMemoryBlobs(): Blobs {
  const kinds = new Map<string, Map<string, Buffer>>();
  return {
    async put(kind, name, bytes) {
      const blobs = kinds.get(kind) ?? new Map<string, Buffer>();
      kinds.set(kind, blobs);
      // Deleted first, because a Map keeps the place of a key that is set again.
      blobs.delete(name);
      blobs.set(name, Buffer.from(bytes));
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
