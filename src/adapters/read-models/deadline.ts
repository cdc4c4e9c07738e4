import { ReadModelsUnavailable } from "../../ports/read-models.ts";

export type Deadline = <T>(answer: Promise<T>) => Promise<T>;

/** Bounds the wait for an answer of Redis and how many may be waited for at once; every failure becomes {@link ReadModelsUnavailable}. */
export function createDeadline(timeoutMs: number, underWayMax: number): Deadline {
  let underWay = 0;
  return async (answer) => {
    if (underWay >= underWayMax) {
      answer.catch(() => undefined);
      throw new ReadModelsUnavailable(`Redis: ${underWayMax} answers are waited for already`);
    }
    underWay += 1;
    let stop = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      const tell = () => reject(new ReadModelsUnavailable(`Redis did not answer within ${timeoutMs} ms`));
      stop = afterAnswers(timeoutMs, tell);
    });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      if (error instanceof ReadModelsUnavailable) throw error;
      throw new ReadModelsUnavailable(`Redis: ${error instanceof Error ? error.message : error}`, { cause: error });
    } finally {
      stop();
      underWay -= 1;
    }
  };
}

/**
 * Calls after so many milliseconds, unless it is stopped. When this process was busy for longer, answers may have been
 * waiting in the socket: they get one more turn of the event loop first.
 */
export function afterAnswers(ms: number, call: () => void): () => void {
  let stopped = false;
  const unlessStopped = (): void => {
    if (!stopped) call();
  };
  const timer = setTimeout(() => setImmediate(() => setImmediate(unlessStopped)), ms);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
