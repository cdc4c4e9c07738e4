import { describe, expect, test } from "vitest";
import { SqlError } from "../adapters/engines/sql.ts";
import { LogUnavailable } from "../ports/event-store.ts";
import { StreamUnavailable } from "../ports/event-stream.ts";
import { JobsUnavailable } from "../ports/job-queue.ts";
import { ReadModelsUnavailable } from "../ports/read-models.ts";
import { Stopped } from "./lifecycle.ts";
import { createPatience } from "./wait-for-engine.ts";

function newPatience(forMs: number) {
  const told: string[] = [];
  const life = { stopping: false };
  const log = { debug() {}, info() {}, error() {}, warn: (_fields: object, line: string) => void told.push(line) };
  return { patience: createPatience({ forMs, life, log }), told, life };
}

/** Fails so many times, then gives "open". */
function opening(failures: number, error: unknown) {
  let tries = 0;
  return {
    tries: () => tries,
    async open(): Promise<string> {
      tries += 1;
      if (tries <= failures) throw error;
      return "open";
    },
  };
}

const soon = [
  new SqlError("connection refused", null, null),
  new SqlError("the database system is starting up", "57P03", null),
  new ReadModelsUnavailable("Redis cannot be reached: ECONNREFUSED"),
  new LogUnavailable("no node answers"),
  new StreamUnavailable("Kafka: no broker"),
  new JobsUnavailable("ECONNREFUSED"),
];
const never = [
  new SqlError("password authentication failed", "28P01", null),
  new SqlError('database "x" does not exist', "3D000", null),
  new ReadModelsUnavailable("Redis cannot be reached: WRONGPASS invalid username-password pair"),
  new Error("migration 0001 was edited after it had been applied"),
];

describe("a start", () => {
  test.each(soon)("waits where %s", async (error) => {
    const { patience, told } = newPatience(20_000);
    const engine = opening(3, error);
    expect(await patience.untilOpen("the engine", engine.open)).toBe("open");
    expect(engine.tries()).toBe(4);
    expect(told).toEqual([expect.stringMatching(/^waiting for the engine, for 20 s more/)]);
  });

  test.each(never)("does not wait where %s", async (error) => {
    const { patience, told } = newPatience(20_000);
    const engine = opening(1, error);
    await expect(patience.untilOpen("the engine", engine.open)).rejects.toBe(error);
    expect([engine.tries(), told]).toEqual([1, []]);
  });

  test("waits no longer than it was told, for all engines together", async () => {
    const { patience } = newPatience(120);
    const error = new LogUnavailable("gone");
    const engine = opening(Number.POSITIVE_INFINITY, error);
    await expect(patience.untilOpen("one", engine.open)).rejects.toBe(error);
    await new Promise((resolve) => setTimeout(resolve, 120));
    const other = opening(Number.POSITIVE_INFINITY, error);
    await expect(patience.untilOpen("another", other.open)).rejects.toBe(error);
    expect(engine.tries()).toBeGreaterThan(1);
    expect(other.tries()).toBe(1);
  });

  test("that is stopped waits no more, not for an engine that hangs either", async () => {
    const { patience, life } = newPatience(600_000);
    const hanging = patience.untilOpen("the engine", () => new Promise<string>(() => undefined));
    life.stopping = true;
    await expect(hanging).rejects.toBeInstanceOf(Stopped);
  });
});
