/**
 * Which processes of a deployment are there, and what each says of itself. Nothing depends on it but what operators are told:
 * it may be empty after a crash, and a process that hangs is taken for gone.
 */
export interface Presence {
  /** Writes what a process says, in place of what it said before, for so many milliseconds by the engine's clock. */
  report(id: string, said: object, forMs: number): Promise<void>;
  /** It goes, and need not be waited for. */
  leave(id: string): Promise<void>;
  /** What those say whose time is not over, by id; read back as JSON, to be checked. */
  present(): Promise<readonly { readonly id: string; readonly said: unknown }[]>;
}
