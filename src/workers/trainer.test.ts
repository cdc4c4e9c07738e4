import { describe, expect, test } from "vitest";
import { appendAnswers, interactionEvent, keepingLog, madeUpAnswer } from "../../test/support/answers-in-log.ts";
import { createMemoryBlobs } from "../adapters/blobs/memory.ts";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
import { answerOf } from "../domain/learner-model/answer-of.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { learnerModels } from "../domain/learner-model/models.ts";
import { modelStream } from "../domain/streams.ts";
import type { Blobs } from "../ports/blobs.ts";
import { type EventStore, LogUnavailable } from "../ports/event-store.ts";
import type { Feed } from "../ports/feed.ts";
import { createTrainer, type Trainer, type TrainerDeps } from "./trainer.ts";
import { loadCheckpoint } from "./trainer-checkpoint.ts";

const model = learnerModels["lr-full"];

interface Engines {
  readonly log: EventStore & Feed;
  readonly blobs: Blobs;
}
const newEngines = (): Engines => ({ log: createMemoryLog(), blobs: createMemoryBlobs() });

function trainerOn({ log, blobs }: Engines, more: Partial<TrainerDeps> = {}): Trainer {
  const clock = { now: () => Date.UTC(2026, 0, 2) };
  const deps = { store: log, feed: log, blobs, clock, log: keepingLog(), model, batchSize: 37, retryMs: 1 };
  return createTrainer({ ...deps, ...more });
}

async function trainToHead(engines: Engines, more: Partial<TrainerDeps> = {}): Promise<Trainer> {
  const trainer = trainerOn(engines, more);
  trainer.start();
  await trainer.caughtUp();
  await trainer.stop();
  return trainer;
}

const publishedIn = async ({ log }: Engines) =>
  (await log.readStream(modelStream, { limit: 1000 })).map(({ data }) => data as Record<string, unknown>);

/** What a trainer without any of the machinery comes to. */
function weightsAfter(answers: number, of: LearnerModel = model): unknown {
  const weights = of.newWeights();
  const locals = new Map<string, unknown>();
  for (let n = 0; n < answers; n++) {
    const data = madeUpAnswer(n);
    const local = locals.get(data.learnerId) ?? of.newLocal();
    locals.set(data.learnerId, local);
    const answer = answerOf(data);
    if (answer !== null) of.learn(weights, local, answer);
  }
  return weights;
}

const publishedAfter = (answers: number, of = model): Uint8Array => of.encodePublished(weightsAfter(answers, of));

async function reference(answers: number): Promise<Record<string, unknown>[]> {
  const engines = newEngines();
  await appendAnswers(engines.log, 0, answers);
  await trainToHead(engines);
  return publishedIn(engines);
}

describe("publishing", () => {
  test("each hundred answers a version, with the weights as they were then and what they were worth", async () => {
    const engines = newEngines();
    await appendAnswers(engines.log, 0, 350);
    const trainer = await trainToHead(engines);
    const published = await publishedIn(engines);
    expect(published.map(({ version, answers, trainedTo }) => [version, answers, trainedTo])).toEqual([
      [1, 100, 100],
      [2, 200, 200],
      [3, 300, 300],
    ]);
    for (const { answers, weights, metrics, model: name } of published) {
      const bytes = await engines.blobs.get("model", String(weights));
      expect(Buffer.compare(bytes ?? Buffer.of(), publishedAfter(Number(answers)))).toBe(0);
      expect(name).toBe("lr-full");
      expect(metrics).toMatchObject({ recentAnswers: answers, recentAuc: expect.any(Number) });
    }
    expect(trainer.status()).toMatchObject({ answers: 350, skipped: 0, version: 3, learners: 12, position: 353 });
  });

  test("nothing before the hundredth answer, and nothing again at the next start", async () => {
    const engines = newEngines();
    await appendAnswers(engines.log, 0, 99);
    await trainToHead(engines);
    expect(await publishedIn(engines)).toEqual([]);
    await appendAnswers(engines.log, 99, 100);
    await trainToHead(engines);
    await trainToHead(engines);
    expect(await publishedIn(engines)).toHaveLength(1);
  });

  test("without a checkpoint it learns silently up to what is published", async () => {
    const engines = newEngines();
    await appendAnswers(engines.log, 0, 250);
    await trainToHead(engines);
    await appendAnswers(engines.log, 250, 420);
    await trainToHead({ log: engines.log, blobs: createMemoryBlobs() });
    expect(await publishedIn(engines)).toEqual(await referenceOf([0, 250, 420]));
  });

  test("two models on one log take turns in the versions", async () => {
    const engines = newEngines();
    await appendAnswers(engines.log, 0, 210);
    await trainToHead(engines);
    await trainToHead(engines, { model: learnerModels.elo });
    const published = await publishedIn(engines);
    expect(published.map(({ model: name, version, answers }) => [name, version, answers])).toEqual([
      ["lr-full", 1, 100],
      ["lr-full", 2, 200],
      ["elo", 3, 100],
      ["elo", 4, 200],
    ]);
    const bytes = await engines.blobs.get("model", String(published[3]?.weights));
    expect(Buffer.compare(bytes ?? Buffer.of(), publishedAfter(200, learnerModels.elo))).toBe(0);
  });
});

/** Published versions when the trainer saw the log grow in these steps; positions then count its own events too. */
async function referenceOf(steps: readonly number[]): Promise<Record<string, unknown>[]> {
  const engines = newEngines();
  for (const [k, to] of steps.entries()) {
    if (k === 0) continue;
    await appendAnswers(engines.log, steps[k - 1] ?? 0, to);
    await trainToHead(engines);
  }
  return publishedIn(engines);
}

describe("checkpoints", () => {
  test("a run resumed many times ends with the weights of one that was never interrupted", async () => {
    const engines = newEngines();
    let to = 0;
    for (const more of [1, 60, 99, 140, 3, 300, 47]) {
      await appendAnswers(engines.log, to, to + more);
      to += more;
      const trainer = await trainToHead(engines);
      expect(trainer.status().answers).toBe(to);
    }
    const state = await loadCheckpoint(engines.blobs, model, keepingLog());
    expect(Buffer.compare(model.encodeWeights(state?.weights), model.encodeWeights(weightsAfter(to)))).toBe(0);
  });

  test("resumes without reading what it has learnt already", async () => {
    const engines = newEngines();
    await appendAnswers(engines.log, 0, 500);
    await trainToHead(engines);
    const read: number[] = [];
    const feed: Feed = {
      ...engines.log,
      read: (after, limit, filter) => {
        read.push(after);
        return engines.log.read(after, limit, filter);
      },
    };
    await trainToHead(engines, { feed });
    expect(Math.min(...read)).toBeGreaterThanOrEqual(500);
  });

  test("ahead of the log, as after the log was put back from a backup, is not gone on from", async () => {
    const engines = newEngines();
    await appendAnswers(engines.log, 0, 300);
    await trainToHead(engines);
    const restored = { log: createMemoryLog(), blobs: engines.blobs };
    await appendAnswers(restored.log, 0, 120);
    const trainer = await trainToHead(restored);
    expect(trainer.status()).toMatchObject({ answers: 120, position: 121 });
    expect((await publishedIn(restored)).map(({ version, answers }) => [version, answers])).toEqual([[1, 100]]);
  });

  test("is saved while running, once in a while, and leaves nothing old behind", async () => {
    const engines = newEngines();
    let now = 0;
    const trainer = trainerOn(engines, { clock: { now: () => now }, checkpointEveryMs: 60_000 });
    trainer.start();
    await appendAnswers(engines.log, 0, 50);
    await trainer.caughtUp();
    expect(await engines.blobs.names("trainer")).toEqual([]);
    for (const [from, to] of [
      [50, 60],
      [60, 90],
    ] as const) {
      now += 60_000;
      await appendAnswers(engines.log, from, to);
      await trainer.caughtUp();
      await trainer.caughtUp();
    }
    const names = await engines.blobs.names("trainer");
    expect(names).toContain("lr-full");
    expect(names.filter((name) => name.startsWith("lr-full@"))).toHaveLength(2);
    await trainer.stop();
  });

  test.each(["lr-full", "a part"])("damaged in %s: training starts again, with a line in the log", async (damaged) => {
    const engines = newEngines();
    await appendAnswers(engines.log, 0, 220);
    await trainToHead(engines);
    const names = await engines.blobs.names("trainer");
    const name = damaged === "a part" ? (names.find((each) => each.endsWith("/1")) ?? "") : damaged;
    await engines.blobs.put("trainer", name, Buffer.from("{"));
    const log = keepingLog();
    const trainer = await trainToHead(engines, { log });
    expect(trainer.status().answers).toBe(220);
    if (damaged === "a part") expect(log.lines.map(({ level }) => level)).toContain("warn");
    expect(await publishedIn(engines)).toEqual(await reference(220));
  });
});

describe("trouble", () => {
  test("an event that cannot be read is skipped, counted and logged, and training goes on", async () => {
    const engines = newEngines();
    await appendAnswers(engines.log, 0, 50);
    const poison = { ...madeUpAnswer(3), interactionId: "bad", correct: "perhaps" };
    const events = [interactionEvent(poison, "bad")];
    await engines.log.append([{ stream: "learner-learner1", expected: "any", events }]);
    await appendAnswers(engines.log, 50, 120);
    const log = keepingLog();
    const trainer = await trainToHead(engines, { log });
    expect(trainer.status()).toMatchObject({ answers: 120, skipped: 1, errors: 0 });
    expect(log.lines.filter(({ level }) => level === "error")).toEqual([
      expect.objectContaining({ fields: expect.objectContaining({ position: 51, stream: "learner-learner1" }) }),
    ]);
    const [first] = await publishedIn(engines);
    expect(first).toMatchObject({ answers: 100, trainedTo: 101 });
    expect(
      Buffer.compare((await engines.blobs.get("model", String(first?.weights))) ?? Buffer.of(), publishedAfter(100)),
    ).toBe(0);
  });

  test("a model that throws on an answer loses that learner's state, and no more", async () => {
    const engines = newEngines();
    await appendAnswers(engines.log, 0, 130);
    let calls = 0;
    const brittle: LearnerModel = {
      ...model,
      learn: (weights, local, answer) => {
        calls += 1;
        if (calls === 40) throw new Error("a bug");
        return model.learn(weights, local, answer);
      },
    };
    const trainer = await trainToHead(engines, { model: brittle });
    expect(trainer.status()).toMatchObject({ answers: 129, skipped: 1, version: 1 });
  });

  test("two trainers at once publish each version once, and come to the same weights", async () => {
    const engines = newEngines();
    const trainers = [trainerOn(engines), trainerOn(engines, { batchSize: 11 })];
    for (const trainer of trainers) trainer.start();
    for (let n = 0; n < 600; n += 60) {
      await appendAnswers(engines.log, n, n + 60);
      await Promise.all(trainers.map((trainer) => trainer.caughtUp()));
    }
    await Promise.all(trainers.map((trainer) => trainer.stop()));
    const published = await publishedIn(engines);
    expect(published.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(published.map(({ answers }) => answers)).toEqual([100, 200, 300, 400, 500, 600]);
    expect(await engines.blobs.names("model")).toHaveLength(6);
    for (const trainer of trainers) expect(trainer.status()).toMatchObject({ answers: 600, version: 6, errors: 0 });
    expect(await trainToHead(engines).then((trainer) => trainer.status().answers)).toBe(600);
  });

  test("start and stop in any order and number do no harm", async () => {
    const engines = newEngines();
    await appendAnswers(engines.log, 0, 10);
    const never = trainerOn(engines);
    await never.stop();
    never.start();
    await expect(never.caughtUp()).rejects.toThrow("not running");
    const trainer = trainerOn(engines);
    trainer.start();
    trainer.start();
    await Promise.all([trainer.stop(), trainer.stop()]);
    await trainer.stop();
    expect(trainer.status().running).toBe(false);
  });
});

type When = "before its effect" | "after its effect";

/** The same engines, whose calls fail from the k-th on (`once`: the k-th only). `reached` says whether there was one. */
function failing(engines: Engines, k: number, when: When, once: boolean): Engines & { reached(): boolean } {
  let calls = 0;
  const wrap = <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
    return async (...args: Args): Promise<Result> => {
      calls += 1;
      const fails = once ? calls === k : calls >= k;
      if (fails && (when === "before its effect" || calls > k)) throw new LogUnavailable("made to fail");
      const result = await call(...args);
      if (fails) throw new LogUnavailable("made to fail");
      return result;
    };
  };
  const { log, blobs } = engines;
  return {
    reached: () => calls >= k,
    log: { ...log, append: wrap(log.append), readStream: wrap(log.readStream), read: wrap(log.read) },
    blobs: {
      ...blobs,
      put: wrap(blobs.put),
      get: wrap(blobs.get),
      names: wrap(blobs.names),
      remove: wrap(blobs.remove),
    },
  };
}

const until = async (reached: () => boolean, done: Promise<unknown>): Promise<void> => {
  let finished = false;
  void done.then(
    () => (finished = true),
    () => (finished = true),
  );
  while (!reached() && !finished) await new Promise((resolve) => setImmediate(resolve));
};

describe.each<When>(["before its effect", "after its effect"])("the k-th call of an engine fails %s", (when) => {
  const answers = 330;
  const everyStep = { checkpointEveryMs: 0, batchSize: 60 };

  test("dead from then on, and started again: the same versions", { timeout: 120_000 }, async () => {
    const expected = await reference(answers);
    let crashes = 0;
    for (let k = 1; ; k++) {
      const engines = newEngines();
      await appendAnswers(engines.log, 0, answers);
      const broken = failing(engines, k, when, false);
      const victim = trainerOn(broken, everyStep);
      victim.start();
      await until(broken.reached, victim.caughtUp());
      if (!broken.reached()) {
        await victim.stop();
        break;
      }
      crashes += 1;
      await victim.stop();
      const heir = await trainToHead(engines, everyStep);
      expect(heir.status().answers, `k = ${k}`).toBe(answers);
      expect(await publishedIn(engines), `k = ${k}`).toEqual(expected);
    }
    expect(crashes).toBeGreaterThan(20);
  });

  test("once, and it goes on by itself: the same versions", { timeout: 120_000 }, async () => {
    const expected = await reference(answers);
    for (let k = 1; ; k++) {
      const engines = newEngines();
      await appendAnswers(engines.log, 0, answers);
      const shaky = failing(engines, k, when, true);
      const trainer = await trainToHead(shaky, everyStep);
      if (!shaky.reached()) break;
      expect(trainer.status().answers, `k = ${k}`).toBe(answers);
      expect(await publishedIn(engines), `k = ${k}`).toEqual(expected);
    }
  });
});
