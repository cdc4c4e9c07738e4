import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { createMemoryLog } from "../../adapters/event-store/memory.ts";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { sigmoid } from "../../domain/learner-model/sigmoid.ts";
import { seededRandom, standardNormal } from "../../domain/random.ts";
import { itemStream, learnerStream } from "../../domain/streams.ts";
import type { AppendRequest } from "../../ports/event-store.ts";
import { itemFlags } from "./item-flags.ts";
import type { ItemAnalysis, Items } from "./items.ts";
import { makeReport } from "./make-report.ts";
import { reportInputSchema } from "./report-input.ts";

const learners = 300;
const items = 30;
const model = learnerModels["lr-lite"];
const start = Date.parse("2026-03-01T09:00:00Z");

/** What is wrong with the first items: the others are sound. */
const faults = ["turned", "easy", "hard", "slow", "hints", "coin"] as const;
const faultOf = (item: number): (typeof faults)[number] | null => faults[item] ?? null;

function chanceOf(item: number, level: number): number {
  const difficulty = -1.2 + (1.8 * item) / items;
  switch (faultOf(item)) {
    case "turned":
      return sigmoid(-1.5 * level);
    case "easy":
      return 0.99;
    case "hard":
      return 0.06;
    case "coin":
      return 0.5;
    default:
      return sigmoid(1.3 * (level - difficulty));
  }
}

function request(stream: string, type: string, data: object, at: number): AppendRequest {
  const event = { eventId: randomUUID(), type, data, metadata: { schemaVersion: 1 } };
  return { stream, expected: "any", events: [{ ...event, recordedAt: new Date(at).toISOString() }] };
}

/** Each learner answers each item once, beginning anywhere. */
async function testedSchool(): Promise<ReturnType<typeof createMemoryLog>> {
  const log = createMemoryLog();
  const random = seededRandom("flags");
  await log.append(
    Array.from({ length: items }, (_, k) =>
      request(itemStream(`i${k}`), "ItemPublished", { itemId: `i${k}`, title: `Item ${k}`, skillIds: ["s"] }, start),
    ),
  );
  for (let learner = 0; learner < learners; learner++) {
    const level = standardNormal(random);
    const from = Math.floor(random() * items);
    const answers = Array.from({ length: items }, (_, k) => {
      const item = (from + k) % items;
      const at = start + learner * 60_000 + k * 1_000;
      const data = {
        ...{
          interactionId: `l${learner}-${k}`,
          learnerId: `l${learner}`,
          itemId: `i${item}`,
          kind: "answer",
          skillIds: ["s"],
        },
        correct: random() < chanceOf(item, level),
        durationMs: (faultOf(item) === "slow" ? 60_000 : 8_000) * (0.5 + random()),
        hintCount: random() < (faultOf(item) === "hints" ? 0.8 : 0.05) ? 1 : 0,
        occurredAt: new Date(at).toISOString(),
      };
      return request(learnerStream(`l${learner}`), "InteractionRecorded", data, at);
    });
    for (const each of answers) await log.append([each]);
  }
  return log;
}

describe("items with a known fault, among sound ones", () => {
  let found: ReadonlyMap<string, ItemAnalysis>;
  beforeAll(async () => {
    const options = { signal: new AbortController().signal, onProgress: () => undefined };
    const feed = await testedSchool();
    const { result } = await makeReport({ feed, model }, reportInputSchema.parse({ report: "items" }), options);
    found = new Map((result as Items).items.map((item) => [item.itemId, item]));
  });
  const codesOf = (item: number): string[] => found.get(`i${item}`)?.flags.map(({ code }) => code) ?? [];

  test.each([
    ["turned", "negative_discrimination"],
    ["easy", "too_easy"],
    ["hard", "too_hard"],
    ["slow", "too_slow"],
    ["hints", "many_hints"],
    ["coin", "weak_discrimination"],
  ] as const)("%s: %s", (fault, code) => {
    const item = faults.indexOf(fault);
    expect(codesOf(item)).toContain(code);
    for (const { code: each, reason } of found.get(`i${item}`)?.flags ?? []) {
      expect(itemFlags).toContain(each);
      expect(reason).toMatch(/\d/);
    }
  });

  test("the turned one is unpredictable too: answers go against what the model holds of the learners", () => {
    expect(found.get("i0")?.fit?.infit).toBeGreaterThan(1.1);
  });

  test("of 24 sound items at most one is flagged", () => {
    const sound = Array.from({ length: items - faults.length }, (_, k) => k + faults.length);
    expect(sound.filter((item) => codesOf(item).length > 0).length).toBeLessThanOrEqual(1);
  });

  test("sound items discriminate as a one-parameter item should, and their difficulty grows as it was made", () => {
    for (let item = faults.length; item < items; item++) {
      expect(found.get(`i${item}`)?.discrimination?.estimate).toBeGreaterThan(0.2);
    }
    const difficulty = (item: number): number => found.get(`i${item}`)?.difficulty ?? Number.NaN;
    expect(difficulty(29) - difficulty(6)).toBeGreaterThan(1.2);
    expect(difficulty(29) - difficulty(6)).toBeLessThan(2.2);
  });
});
