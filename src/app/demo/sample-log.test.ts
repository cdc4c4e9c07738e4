import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { seededRandom } from "../../domain/random.ts";
import { course } from "./course.ts";
import { sampleLogCsv, sampleLogOptions } from "./sample-log.ts";
import { sittings } from "./schedule.ts";
import { attempt, newSimulatedLearner } from "./simulated-learners.ts";

const { skills, items } = course;
const skillsById = new Map(skills.map((skill) => [skill.skillId, skill]));

test("sample-log.csv is what make-sample-log.ts writes, to the byte", () => {
  const file = readFileSync(new URL("sample-log.csv", import.meta.url), "utf8");
  expect(sampleLogCsv(skills, items, sampleLogOptions) === file).toBe(true);
});

test("it is a class of 30 over four weeks, in order of time, that gets most but not all right", () => {
  const rows = sampleLogCsv(skills, items, sampleLogOptions)
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
  expect(rows.map((row) => Number(row[0]))).toEqual(rows.map((_, i) => i));
  expect(new Set(rows.map((row) => row[2])).size).toBe(30);
  const times = rows.map((row) => Number(row[5]) * 1000);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(Math.min(...times)).toBeGreaterThanOrEqual(sampleLogOptions.fromMs);
  expect(Math.max(...times)).toBeLessThan(sampleLogOptions.toMs);
  const correct = rows.filter((row) => row[6] === "1").length / rows.length;
  expect(correct).toBeGreaterThan(0.5);
  expect(correct).toBeLessThan(0.85);
});

test("learners learn: of those who do not know a skill, practice makes most know it, and hardly without its prerequisite", () => {
  const item = items.find(
    ({ skillIds }) => skillIds.length === 1 && (skillsById.get(skillIds[0] ?? "")?.prerequisites.length ?? 0) > 0,
  );
  if (item === undefined) throw new Error("the course has no such item");
  const [skillId = ""] = item.skillIds;
  const before = (skillsById.get(skillId)?.prerequisites ?? []).map((p) => p.skillId);
  const learnt = (known: readonly string[]): number => {
    let count = 0;
    for (let n = 0; n < 200; n += 1) {
      const random = seededRandom(`learner ${n}`);
      let learner = { ...newSimulatedLearner(`l${n}`, skills, random), known: new Set(known) as ReadonlySet<string> };
      for (let i = 0; i < 10; i += 1) learner = attempt(learner, item, skillsById, 0, random).learner;
      if (learner.known.has(skillId)) count += 1;
    }
    return count / 200;
  };
  expect(learnt(before)).toBeGreaterThan(0.7);
  expect(learnt([])).toBeLessThan(0.5);
});

test("who knows answers better and faster than who does not, and an attempt changes nothing but by its result", () => {
  const item = items[0];
  if (item === undefined) throw new Error("the course is empty");
  const outcome = (known: boolean) => {
    let correct = 0;
    let durationMs = 0;
    let answers = 0;
    for (let n = 0; n < 400; n += 1) {
      const random = seededRandom(`x${n}`);
      const learner = { ...newSimulatedLearner("x", skills, random), known: new Set(known ? item.skillIds : []) };
      const size = learner.known.size;
      const last = attempt(learner, item, skillsById, 0, random).acts.at(-1);
      expect(learner.known.size).toBe(size);
      if (last?.kind !== "answer") continue;
      answers += 1;
      correct += Number(last.correct);
      durationMs += last.durationMs ?? 0;
    }
    return { correct: correct / answers, durationMs: durationMs / answers };
  };
  const knows = outcome(true);
  const guesses = outcome(false);
  expect(knows.correct).toBeGreaterThan(0.85);
  expect(guesses.correct).toBeLessThan(0.5);
  expect(knows.durationMs).toBeLessThan(guesses.durationMs);
});

test("sittings lie within their time, in order, in the afternoon", () => {
  const from = Date.UTC(2025, 0, 6);
  const all = sittings(seededRandom("s"), from, from + 28 * 86_400_000);
  expect(all.length).toBeGreaterThan(4);
  const times = all.flatMap((s) => s.at);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  for (const t of times) expect(new Date(t).getUTCHours()).toBeGreaterThanOrEqual(13);
});
