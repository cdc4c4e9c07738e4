/** Durable named bytes beside the log: published model weights, checkpoints of workers. */
export interface Blobs {
  /** Overwrites. */
  put(kind: string, name: string, bytes: Uint8Array): Promise<void>;
  /** Stores it only where there is none of this name; resolves with what is stored then, whoever was first. */
  putNew(kind: string, name: string, bytes: Uint8Array): Promise<Buffer>;
  get(kind: string, name: string): Promise<Buffer | null>;
  /** Names of a kind in order of their last write. */
  names(kind: string): Promise<string[]>;
  remove(kind: string, name: string): Promise<void>;
}
