/**
 * The right to do something that one process of a deployment does at a time, for a while. A holder that was stopped for
 * longer than its lease does not know that it lost it: work under a lease must bear a second worker for a moment, or
 * carry the token to something that refuses lower ones.
 */
export interface Lease {
  /**
   * Takes it for so many milliseconds from now, or prolongs it where `holder` has it already. Null while another has it.
   * All who want the same lease ask for about the same time: one that ends much later is taken for a leftover of a clock that
   * was set back, and is free. `holder` names one run of one process: a process that starts again is another holder.
   */
  take(name: string, holder: string, forMs: number): Promise<Held | null>;
  /** Gives it up, so that nobody needs to wait for its end. Does nothing where another has it. */
  release(name: string, holder: string): Promise<void>;
}

export interface Held {
  /** Fencing token: 1 for the first holder, and more for each one after. */
  readonly token: number;
}
