import { StreamUnavailable } from "../../ports/event-stream.ts";

/** Rejects with {@link StreamUnavailable} when the work takes longer: this client can wait for ever without a word. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StreamUnavailable(`${what} took longer than ${ms} ms`)), ms);
  });
  // Its failure after the deadline is nobody's any more, and must not count as unhandled.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
