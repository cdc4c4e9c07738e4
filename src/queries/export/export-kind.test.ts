import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryTarget } from "../../../test/support/memory-target.ts";
import { createMemoryLog } from "../../adapters/event-store/memory.ts";
import { currentSchemaVersion } from "../../domain/events.ts";
import { learnerStream } from "../../domain/streams.ts";
import { exportInput, exportKind } from "./export-kind.ts";

type Log = ReturnType<typeof createMemoryLog>;

const learners = ["ada", "ben", "cem"];
const types = ["InteractionRecorded", "SkillDefined"] as const;

async function fill(log: Log, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const learnerId = learners[n % 3] ?? "";
    const isAnswer = n % 4 > 0;
    const data = isAnswer
      ? {
          interactionId: `i${n}`,
          learnerId,
          itemId: "a",
          kind: "answer",
          skillIds: [],
          correct: true,
          trackId: `t${n % 2}`,
        }
      : { skillId: `s${n}`, title: "S", prerequisites: [] };
    const event = {
      eventId: randomUUID(),
      type: types[isAnswer ? 0 : 1],
      data,
      recordedAt: new Date(n * 1_000).toISOString(),
    };
    const metadata = { schemaVersion: currentSchemaVersion };
    const stream = isAnswer ? learnerStream(learnerId) : `skill-s${n}`;
    await log.append([{ stream, expected: "any", events: [{ ...event, metadata }] }]);
  }
}

const kindOf = (log: Log, pace?: { pageSize: number; between: number }) =>
  exportKind({
    ...{ eventStore: log, feed: log, clock: { now: () => 0 }, ...(pace && { pace }) },
    serving: () => Promise.reject(new Error("no rows are asked for")),
    pseudonymKey: async () => "a key of sixteen or more",
  });

async function exported(log: Log, given: object, pace?: { pageSize: number; between: number }) {
  const target = memoryTarget();
  const input = exportInput.parse(given);
  const summary = await kindOf(log, pace).run(input, target.begin());
  return { summary, text: target.content(`events.${input.format}`)?.toString() ?? "", target };
}

const pace = fc.record({ pageSize: fc.integer({ min: 1, max: 9 }), between: fc.integer({ min: 1, max: 9 }) });
const filter = fc.record(
  {
    learners: fc.subarray(learners, { minLength: 1 }),
    types: fc.subarray([...types], { minLength: 1 }),
    tracks: fc.constantFrom<string[]>(["t0"], ["t1"], ["t0", "t1"]),
    after: fc.integer({ min: 0, max: 50 }),
    upTo: fc.integer({ min: 0, max: 50 }),
    from: fc.constant("1970-01-01T00:00:07Z"),
    to: fc.constant("1970-01-01T00:00:33Z"),
  },
  { requiredKeys: [] },
);

describe("an export of events", () => {
  test("is what the filters say, however it is read, and its end is where the next one begins", async () => {
    const log = createMemoryLog();
    await fill(log, 43);
    const all = (await exported(log, { plainIds: true })).text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(all).toHaveLength(43);
    await fc.assert(
      fc.asyncProperty(filter, pace, async (asked, paced) => {
        const { text, summary } = await exported(log, { plainIds: true, ...asked }, paced);
        const rows =
          text === ""
            ? []
            : text
                .trimEnd()
                .split("\n")
                .map((line) => JSON.parse(line));
        const wanted = all.filter(
          ({ position, type, learnerId, trackId, recordedAt }) =>
            position > (asked.after ?? 0) &&
            position <= (asked.upTo ?? 43) &&
            (asked.types === undefined || asked.types.some((one) => one === type)) &&
            (asked.learners?.includes(learnerId) ?? true) &&
            (asked.tracks?.includes(trackId) ?? true) &&
            (asked.from === undefined || recordedAt >= "1970-01-01T00:00:07.000Z") &&
            (asked.to === undefined || recordedAt < "1970-01-01T00:00:33.000Z"),
        );
        expect(rows).toEqual(wanted);
        expect(summary).toMatchObject({ rows: wanted.length, bytes: Buffer.byteLength(text) });
        const { position } = summary as { position: number };
        expect(position).toBe(Math.max(asked.after ?? 0, Math.min(asked.upTo ?? 43, 43)));
      }),
      { numRuns: 60 },
    );
  });

  test("cut off anywhere, with the log going on meanwhile, it is the same file", async () => {
    await fc.assert(
      fc.asyncProperty(
        filter,
        pace,
        fc.constantFrom("ndjson", "csv"),
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
        async (asked, paced, format, cuts) => {
          const log = createMemoryLog();
          await fill(log, 40);
          const input = exportInput.parse({ ...asked, format, dictionary: true });
          const whole = await exported(log, input, paced);
          const target = memoryTarget();
          const kind = kindOf(log, paced);
          let saved = false;
          for (const cut of cuts) {
            const run = target.begin(cut);
            saved ||= run.resumeFrom !== null;
            await kind.run(input, run).catch(() => undefined);
          }
          const last = target.begin();
          // Before its first checkpoint it has not begun, and takes the log as it is then.
          if (last.resumeFrom !== null || saved) await fill(log, 5);
          expect(await kind.run(input, last)).toEqual(whole.summary);
          expect(target.content(`events.${format}`)?.toString()).toBe(whole.text);
          expect(target.content("events.dictionary.json")).toEqual(whole.target.content("events.dictionary.json"));
        },
      ),
      { numRuns: 50 },
    );
  });

  test("what has no meaning for a table is refused by name", () => {
    const issues = (input: object) =>
      exportInput.safeParse(input).error?.issues.map(({ path, message }) => [path.join("."), message]);
    expect(issues({ what: "scores", tracks: ["a"] })).toEqual([["tracks", "only for events"]]);
    expect(issues({ what: "items", learners: ["a"] })).toEqual([["learners", "only for events, scores, next"]]);
    expect(issues({ what: "nothing" })?.[0]?.[0]).toBe("what");
    expect(exportInput.parse(exportInput.parse({ after: 3 }))).toEqual({
      ...{ what: "events", format: "ndjson", plainIds: false, dictionary: false, after: 3 },
    });
  });
});
