import { ReadModelsUnavailable } from "../../ports/read-models.ts";

export type Deadline = <T>(answer: Promise<T>) => Promise<T>;

/**
 * Bounds the wait for an answer of Redis and how many may be waited for at once, and turns every failure into
 * {@link ReadModelsUnavailable}. When this process was busy for longer than the deadline, the answer may have been
 * waiting in the socket: it gets one more turn of the event loop.
 */
export function createDeadline(timeoutMs: number, underWayMax: number): Deadline {
  let underWay = 0;
  return async (answer) => {
    if (underWay >= underWayMax) {
      answer.catch(() => undefined);
      throw new ReadModelsUnavailable(`Redis: ${underWayMax} answers are waited for already`);
    }
    underWay += 1;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const tell = () => reject(new ReadModelsUnavailable(`Redis did not answer within ${timeoutMs} ms`));
      timer = setTimeout(() => setImmediate(() => setImmediate(tell)), timeoutMs);
    });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      if (error instanceof ReadModelsUnavailable) throw error;
      throw new ReadModelsUnavailable(`Redis: ${error instanceof Error ? error.message : error}`, { cause: error });
    } finally {
      clearTimeout(timer);
      underWay -= 1;
    }
  };
}
