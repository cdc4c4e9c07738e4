import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { logIdentity, noteLogIdentity } from "./log-identity.ts";

async function logOf(eventIds: readonly string[]) {
  const log = createMemoryLog();
  const base = { type: "ItemRetired", data: { itemId: "i" }, metadata: { schemaVersion: 1 } };
  const recordedAt = "2026-01-01T00:00:00.000Z";
  const events = eventIds.map((eventId) => ({ ...base, eventId, recordedAt }));
  if (events.length > 0) await log.append([{ stream: "item-i", expected: "any", events }]);
  return log;
}

const ids = Array.from({ length: 5 }, () => randomUUID());

test("read models know their log again, also when it has grown", async () => {
  const readModels = createMemoryReadModels();
  await noteLogIdentity(readModels, await logOf([]));
  expect(await logIdentity(readModels, await logOf([]))).toBe("unknown");
  await noteLogIdentity(readModels, await logOf(ids.slice(0, 3)));
  expect(await logIdentity(readModels, await logOf(ids.slice(0, 3)))).toBe("same");
  expect(await logIdentity(readModels, await logOf(ids))).toBe("same");
  await noteLogIdentity(readModels, await logOf(ids));
  expect(await logIdentity(readModels, await logOf(ids))).toBe("same");
});

test("another log, a shorter one and one that went on differently are not theirs", async () => {
  const readModels = createMemoryReadModels();
  await noteLogIdentity(readModels, await logOf(ids.slice(0, 4)));
  expect(await logIdentity(readModels, await logOf([]))).toBe("other");
  expect(await logIdentity(readModels, await logOf([randomUUID(), ...ids.slice(1)]))).toBe("other");
  expect(await logIdentity(readModels, await logOf(ids.slice(0, 3)))).toBe("other");
  expect(await logIdentity(readModels, await logOf([...ids.slice(0, 3), randomUUID()]))).toBe("other");
});
