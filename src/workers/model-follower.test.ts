import { describe, expect, test } from "vitest";
import { appendAnswers, interactionEvent, keepingLog } from "../../test/support/answers-in-log.ts";
import { createMemoryBlobs } from "../adapters/blobs/memory.ts";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { learnerModels } from "../domain/learner-model/models.ts";
import { createModelFollower } from "./model-follower.ts";
import { createTrainer } from "./trainer.ts";

const model = learnerModels["lr-full"];
const newEngines = () => ({ log: createMemoryLog(), blobs: createMemoryBlobs() });
type Engines = ReturnType<typeof newEngines>;

async function trainTo(engines: Engines, from: number, to: number, of: LearnerModel = model): Promise<void> {
  await appendAnswers(engines.log, from, to);
  const { log, blobs } = engines;
  const trainer = createTrainer({
    store: log,
    feed: log,
    blobs,
    clock: { now: () => 0 },
    log: keepingLog(),
    model: of,
  });
  trainer.start();
  await trainer.caughtUp();
  await trainer.stop();
}

function followerOn({ log, blobs }: Engines) {
  const lines = keepingLog();
  return { lines, follower: createModelFollower({ feed: log, blobs, model, log: lines, retryMs: 1 }) };
}

/** The bytes of the newest published weights. */
async function newestBytes(engines: Engines): Promise<Buffer | null> {
  const name = (await engines.blobs.names("model")).filter((each) => each.startsWith(model.name)).at(-1);
  return name === undefined ? null : engines.blobs.get("model", name);
}

describe("model follower", () => {
  test("before the first version: version 0, fresh weights", async () => {
    const { follower } = followerOn(newEngines());
    await follower.catchUp();
    expect(follower.current().version).toBe(0);
    expect(model.predict(follower.current().weights, model.newLocal(), { itemId: "i", skillIds: [] })).toBe(0.5);
    await follower.stop();
  });

  test("has the newest version at a start, and each one after it", async () => {
    const engines = newEngines();
    await trainTo(engines, 0, 320);
    const { follower } = followerOn(engines);
    await follower.catchUp();
    expect(follower.current().version).toBe(3);
    expect(Buffer.from(model.encodePublished(follower.current().weights))).toEqual(await newestBytes(engines));
    await trainTo(engines, 320, 500);
    await follower.catchUp();
    expect(follower.current().version).toBe(5);
    expect(Buffer.from(model.encodePublished(follower.current().weights))).toEqual(await newestBytes(engines));
    await follower.stop();
  });

  test("versions of another model are passed over", async () => {
    const engines = newEngines();
    await trainTo(engines, 0, 120);
    await trainTo(engines, 120, 320, learnerModels.elo);
    const { follower } = followerOn(engines);
    await follower.catchUp();
    expect(follower.current().version).toBe(1);
    await follower.stop();
  });

  test("a log that lr-lite trained on goes on under lr-full: fresh weights, then its own, trained on all answers", async () => {
    const engines = newEngines();
    await trainTo(engines, 0, 250, learnerModels["lr-lite"]);
    const { follower } = followerOn(engines);
    await follower.catchUp();
    expect(follower.current().version).toBe(0);
    await trainTo(engines, 250, 320);
    await follower.catchUp();
    // lr-lite published versions 1 and 2; lr-full, over the same answers from the first on, 3 to 5.
    expect(follower.current().version).toBe(5);
    expect(Buffer.from(model.encodePublished(follower.current().weights))).toEqual(await newestBytes(engines));
    await follower.stop();
  });

  test.each(["missing", "damaged"])("%s weights: the version before serves on, and the log says so", async (how) => {
    const engines = newEngines();
    await trainTo(engines, 0, 220);
    const newest = (await engines.blobs.names("model")).at(-1) ?? "";
    if (how === "missing") await engines.blobs.remove("model", newest);
    else await engines.blobs.put("model", newest, Buffer.from("what is this"));
    const { follower, lines } = followerOn(engines);
    await follower.catchUp();
    expect(follower.current().version).toBe(1);
    expect(lines.lines).toContainEqual(
      expect.objectContaining({ level: "error", fields: expect.objectContaining({ version: 2 }) }),
    );
    await follower.stop();
  });

  test("a published event that cannot be read is passed over", async () => {
    const engines = newEngines();
    await trainTo(engines, 0, 100);
    const events = [{ ...interactionEvent({ version: "two" }, "bad"), type: "ModelPublished" }];
    await engines.log.append([{ stream: "model", expected: "any", events }]);
    const { follower } = followerOn(engines);
    await follower.catchUp();
    expect(follower.current().version).toBe(1);
    await trainTo(engines, 100, 230);
    await follower.catchUp();
    expect(follower.current().version).toBe(3);
    await follower.stop();
  });

  test("an engine in trouble delays it and loses nothing", async () => {
    const engines = newEngines();
    await trainTo(engines, 0, 120);
    let failures = 3;
    const blobs = {
      ...engines.blobs,
      get: async (kind: string, name: string) => {
        if (failures-- > 0) throw new Error("not now");
        return engines.blobs.get(kind, name);
      },
    };
    const { follower } = followerOn({ ...engines, blobs });
    await follower.catchUp();
    expect(follower.current().version).toBe(1);
    await follower.stop();
    await follower.stop();
    await expect(follower.catchUp()).rejects.toThrow("stopped");
  });
});
