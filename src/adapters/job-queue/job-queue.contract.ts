import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import type { JobDefinition, JobQueue } from "../../ports/job-queue.ts";

export interface JobQueueEngine {
  /** A process's own way to the same jobs as the others of this test. Retries after 20 ms, gives jobs in hand 100 ms to end. */
  open(options?: { readonly concurrency?: number }): Promise<JobQueue>;
  /** Whether several processes share the jobs. */
  readonly shared: boolean;
}

const greeting: JobDefinition<{ name: string }>["input"] = z.strictObject({ name: z.string() });
const nothing: JobDefinition<object>["input"] = z.strictObject({});

/** What every adapter of the port must do. */
export function jobQueueContract(newEngine: () => JobQueueEngine): void {
  async function opened(engine = newEngine(), concurrency = 1): Promise<JobQueue> {
    const queue = await engine.open({ concurrency });
    onTestFinished(() => queue.close());
    return queue;
  }
  const settled = (queue: JobQueue, counts: object) =>
    expect.poll(() => queue.counts(), { timeout: 30_000, interval: 20 }).toMatchObject(counts);

  test("a job is done, with its input, and then it is no more", async () => {
    const queue = await opened();
    const done: string[] = [];
    queue.define("greet", { input: greeting, run: async ({ name }) => void done.push(name) });
    queue.start();
    await queue.enqueue("greet", { name: "ann" });
    await queue.enqueue("greet", { name: "ben" });
    await expect.poll(() => done, { timeout: 30_000 }).toEqual(["ann", "ben"]);
    await settled(queue, { waiting: 0, active: 0, delayed: 0, failed: 0 });
  });

  test("an input that is wrong, and a name that nobody defined, are refused at once", async () => {
    const queue = await opened();
    queue.define("greet", { input: greeting, run: async () => undefined });
    await expect(queue.enqueue("greet", { nam: "ann" })).rejects.toThrow("name");
    await expect(queue.enqueue("gret", { name: "ann" })).rejects.toThrow("no job is called gret; there are greet");
    await expect(queue.schedule("greet", 1000)).rejects.toThrow("name");
    expect(() => queue.define("greet", { input: greeting, run: async () => undefined })).toThrow("defined twice");
    expect(await queue.counts()).toMatchObject({ waiting: 0 });
  });

  test("a job that waits is queued once for its id", async () => {
    const queue = await opened();
    const done: string[] = [];
    queue.define("greet", { input: greeting, run: async ({ name }) => void done.push(name) });
    expect(await queue.enqueue("greet", { name: "ann" }, { id: "a" })).toBe("a");
    expect(await queue.enqueue("greet", { name: "ann" }, { id: "a" })).toBe("a");
    expect(await queue.counts()).toMatchObject({ waiting: 1 });
    queue.start();
    await expect.poll(() => done, { timeout: 30_000 }).toEqual(["ann"]);
  });

  test("a key keeps a second job away while one waits or runs, and not after", async () => {
    const queue = await opened(newEngine(), 2);
    const done: string[] = [];
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    queue.define("greet", {
      input: greeting,
      attempts: 1,
      async run({ name }) {
        await gate;
        done.push(name);
        if (name === "bad") throw new Error("no");
      },
    });
    const first = await queue.enqueue("greet", { name: "ann" }, { key: "k" });
    expect(await queue.enqueue("greet", { name: "ben" }, { key: "k" })).toBe(first);
    queue.start();
    await settled(queue, { waiting: 0, active: 1 });
    expect(await queue.enqueue("greet", { name: "cem" }, { key: "k" })).toBe(first);
    expect(await queue.enqueue("greet", { name: "bad" }, { key: "other" })).not.toBe(first);
    go();
    await settled(queue, { waiting: 0, active: 0, failed: 1 });
    expect(done.sort()).toEqual(["ann", "bad"]);
    expect(await queue.enqueue("greet", { name: "dan" }, { key: "k" })).not.toBe(first);
    await queue.enqueue("greet", { name: "eve" }, { key: "other" });
    await expect.poll(() => done.slice(2).sort(), { timeout: 30_000 }).toEqual(["dan", "eve"]);
  });

  test("what fails is tried again, then shown as failed, and may be retried", async () => {
    const queue = await opened();
    const attempts: number[] = [];
    let well = false;
    queue.define("greet", {
      input: greeting,
      attempts: 2,
      async run(_input, { attempt }) {
        attempts.push(attempt);
        if (!well) throw new Error("the cat sat on it");
      },
    });
    queue.start();
    const id = await queue.enqueue("greet", { name: "ann" });
    await settled(queue, { failed: 1, active: 0, delayed: 0 });
    expect(attempts).toEqual([1, 2]);
    const [shown, ...others] = await queue.failed(10);
    expect(others).toEqual([]);
    expect(shown).toMatchObject({ id, name: "greet", error: "the cat sat on it", attempts: 2 });
    expect(Date.parse(shown?.failedAt ?? "")).toBeGreaterThan(Date.now() - 60_000);
    well = true;
    expect(await queue.retry(id)).toBe(true);
    expect(await queue.retry("nobody")).toBe(false);
    await settled(queue, { failed: 0, active: 0, waiting: 0, delayed: 0 });
    expect(attempts).toEqual([1, 2, 1]);
  });

  test("what ended is counted, and since when the oldest has waited is known", async () => {
    const queue = await opened();
    queue.define("greet", {
      ...{ input: greeting, attempts: 1 },
      run: async ({ name }) => {
        if (name === "bad") throw new Error("no");
      },
    });
    const before = Date.now();
    for (const name of ["ann", "bad", "ben"]) await queue.enqueue("greet", { name });
    const waiting = await queue.counts();
    expect(waiting).toMatchObject({ waiting: 3, prioritized: 0, paused: false, completedTotal: 0, failedTotal: 0 });
    expect(waiting.oldestWaitingAt).toBeGreaterThanOrEqual(before);
    expect(waiting.oldestWaitingAt).toBeLessThanOrEqual(Date.now());
    queue.start();
    await settled(queue, { waiting: 0, active: 0, completedTotal: 2, failedTotal: 1, oldestWaitingAt: null });
  });

  test("no more than so many at a time", async () => {
    const queue = await opened(newEngine(), 2);
    let [running, most, done] = [0, 0, 0];
    queue.define("greet", {
      input: greeting,
      async run() {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 30));
        running -= 1;
        done += 1;
      },
    });
    for (let n = 0; n < 6; n += 1) await queue.enqueue("greet", { name: `n${n}` });
    queue.start();
    await expect.poll(() => done, { timeout: 30_000 }).toBe(6);
    expect(most).toBe(2);
  });

  test("a schedule comes at once and then again and again, and another interval replaces it", async () => {
    const queue = await opened();
    let runs = 0;
    queue.define("tick", {
      input: nothing,
      run: async () => {
        runs += 1;
      },
    });
    queue.start();
    await queue.schedule("tick", 3_600_000);
    await expect.poll(() => runs, { timeout: 30_000 }).toBe(1);
    await queue.schedule("tick", 3_600_000);
    await settled(queue, { waiting: 0, active: 0 });
    await queue.schedule("tick", 50);
    await expect.poll(() => runs, { timeout: 30_000 }).toBeGreaterThan(3);
  });

  test("a scheduled job that takes longer than its interval does not pile up", async () => {
    const queue = await opened(newEngine(), 3);
    let [runs, running, most] = [0, 0, 0];
    queue.define("slow", {
      input: nothing,
      async run() {
        runs += 1;
        running += 1;
        most = Math.max(most, running);
        await new Promise((wake) => setTimeout(wake, 100));
        running -= 1;
      },
    });
    queue.start();
    await queue.schedule("slow", 20);
    await expect.poll(() => runs, { timeout: 30_000 }).toBeGreaterThan(3);
    expect(most).toBe(1);
    const { waiting, delayed } = await queue.counts();
    expect(waiting + delayed).toBeLessThanOrEqual(1);
  });

  test("a close waits for the job in hand", async () => {
    const queue = await opened();
    let done = false;
    const begun = new Promise<void>((resolve) => {
      queue.define("slow", {
        input: nothing,
        async run() {
          resolve();
          await new Promise((wake) => setTimeout(wake, 50));
          done = true;
        },
      });
    });
    queue.start();
    await queue.enqueue("slow", {});
    await begun;
    await queue.close();
    expect(done).toBe(true);
    await queue.close();
  });

  test("a job that takes longer than a close waits is told to end", async () => {
    const queue = await opened();
    let told = false;
    const begun = new Promise<void>((resolve) => {
      queue.define("endless", {
        input: nothing,
        async run(_input, { signal }) {
          resolve();
          await new Promise<void>((wake) => signal.addEventListener("abort", () => wake(), { once: true }));
          told = true;
          signal.throwIfAborted();
        },
      });
    });
    queue.start();
    await queue.enqueue("endless", {});
    await begun;
    await queue.close();
    expect(told).toBe(true);
  });

  if (newEngine().shared) sharedContract(newEngine, opened);
}

function sharedContract(
  newEngine: () => JobQueueEngine,
  opened: (engine: JobQueueEngine, concurrency?: number) => Promise<JobQueue>,
): void {
  test("one process queues, another works, and one schedule serves both", async () => {
    const engine = newEngine();
    const [asking, working, other] = [await opened(engine), await opened(engine), await opened(engine)];
    const done: string[] = [];
    let ticks = 0;
    for (const queue of [asking, working, other]) {
      queue.define("greet", { input: greeting, run: async ({ name }) => void done.push(name) });
      queue.define("tick", {
        input: nothing,
        run: async () => {
          ticks += 1;
        },
      });
      await queue.schedule("tick", 3_600_000);
    }
    await asking.enqueue("greet", { name: "ann" });
    working.start();
    other.start();
    await expect.poll(() => done, { timeout: 30_000 }).toEqual(["ann"]);
    await expect.poll(() => ticks, { timeout: 30_000 }).toBe(1);
  });

  test("a worker that has to go hands its job over, and no attempt is lost", async () => {
    const engine = newEngine();
    const [leaving, staying] = [await opened(engine), await opened(engine)];
    const attempts: number[] = [];
    const begun = new Promise<void>((resolve) => {
      leaving.define("endless", {
        ...{ input: nothing, attempts: 1 },
        async run(_input, { signal }) {
          resolve();
          await new Promise<void>((wake) => signal.addEventListener("abort", () => wake(), { once: true }));
          signal.throwIfAborted();
        },
      });
    });
    staying.define("endless", {
      ...{ input: nothing, attempts: 1 },
      run: async (_input, { attempt }) => void attempts.push(attempt),
    });
    leaving.start();
    await leaving.enqueue("endless", {});
    await begun;
    staying.start();
    await leaving.close();
    await expect.poll(() => attempts, { timeout: 30_000 }).toHaveLength(1);
    expect(await staying.counts()).toMatchObject({ failed: 0 });
  });
}
