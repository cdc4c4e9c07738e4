/** Durable named bytes beside the log: published model weights, checkpoints of workers. */
export interface Blobs {
  /** Overwrites. */
  put(kind: string, name: string, bytes: Uint8Array): Promise<void>;
  get(kind: string, name: string): Promise<Buffer | null>;
  /** Names of a kind in order of their last write. */
  names(kind: string): Promise<string[]>;
  remove(kind: string, name: string): Promise<void>;
}
