import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { orSkip } from "../support/engines.ts";
import { NotInstalled } from "./engines.ts";
import { clockForward } from "./experiments/clock.ts";
import { cutPostgres } from "./experiments/lines.ts";
import { closeConnections } from "./http.ts";
import { broken } from "./result.ts";
import { type Laboratory, openLaboratory, runExperiment, warmUp } from "./run-experiment.ts";
import { startStack } from "./stack.ts";

/**
 * A few experiments of `npm run chaos`, each shortened, on the small stack: nothing accepted is lost or stored twice, all
 * is well again, rows are those of a rebuild. How many reads were answered in time is a matter of the machine: the kept
 * run of all of them says that (docs/chaos.md).
 */
const seed = Number(process.env.PROXIMAL_SEED ?? 1);
/** For a machine that does much else. */
const patience = 400_000;

async function open(): Promise<Laboratory | null> {
  try {
    return openLaboratory(await startStack({ size: "small", tell: () => undefined }), seed);
  } catch (error) {
    if (error instanceof NotInstalled) return orSkip({ skip: error.message });
    throw error;
  }
}

const laboratory = await open();

describe.skipIf(laboratory === null)("chaos, in short", () => {
  beforeAll(async () => {
    if (laboratory !== null) await warmUp(laboratory, { busy: true });
  }, patience);
  afterAll(async () => {
    await laboratory?.stack.stop();
    closeConnections();
  });

  test.each([clockForward, cutPostgres])("$name: $what", { timeout: patience }, async (experiment) => {
    if (laboratory === null) return;
    const result = await runExperiment({ ...experiment, lasts: [1, 2] }, laboratory);
    expect(broken(result), `PROXIMAL_SEED=${seed}`).toEqual([]);
    expect(result.reads.asked).toBeGreaterThan(0);
    expect(result.posts.accepted).toBeGreaterThan(0);
  });
});
