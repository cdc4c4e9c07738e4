import pTimeout from "p-timeout";
import { StreamUnavailable } from "../../ports/event-stream.ts";

/** Rejects with {@link StreamUnavailable} when the work takes longer: this client can wait for ever without a word. */
export function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const late = (): never => {
    throw new StreamUnavailable(`${what} took longer than ${ms} ms`);
  };
  return pTimeout(work, { milliseconds: ms, fallback: late });
}
