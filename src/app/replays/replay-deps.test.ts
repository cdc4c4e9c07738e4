import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../test/support/servers.ts";
import { createMemoryBlobs } from "../../adapters/blobs/memory.ts";
import { createMemoryLog } from "../../adapters/event-store/memory.ts";
import type { Engines } from "../compose.ts";
import { loadConfig } from "../config.ts";
import { createLifecycle } from "../lifecycle.ts";
import { replayDeps } from "./replay-deps.ts";

test("what queries read is opened anew after it could not be, but for what is open", async () => {
  const lines: { msg: string }[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const life = createLifecycle({ stopTimeoutMs: 5_000, log });
  onTestFinished(() => void life.stop());
  const memoryLog = createMemoryLog();
  const engines = { eventStore: memoryLog, feed: memoryLog, analysts: memoryLog, blobs: createMemoryBlobs() };
  const { config } = loadConfig({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
  const { serving } = replayDeps(config, engines as unknown as Engines, life, log);
  const refusal = () =>
    serving().then(
      () => null,
      (error: unknown) => error,
    );
  const first = await refusal();
  expect(first).toMatchObject({ message: expect.stringContaining("Redis") });
  const second = await refusal();
  expect(second).toMatchObject({ message: expect.stringContaining("Redis") });
  expect(second).not.toBe(first);
  expect(lines.filter(({ msg }) => msg === "catalogue read")).toHaveLength(1);
});
