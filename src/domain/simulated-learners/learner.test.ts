import { describe, expect, test } from "vitest";
import { seededRandom } from "../random.ts";
import { newBktKnowledge, plainBkt, schoolBkt } from "./bkt.ts";
import { makeCourse } from "./course.ts";
import { newForgettingKnowledge, powerLawRecall } from "./forgetting.ts";
import { generatorNames } from "./generators.ts";
import { type LearnerOptions, newSimulatedLearner, type SimulatedLearner } from "./learner.ts";
import { sittings } from "./schedule.ts";

const course = makeCourse(
  { skills: 4, itemsPerSkill: 10, graph: "chain", spread: 1, authorError: 0.5 },
  seededRandom("course"),
);
const { skills } = course;
const from = Date.UTC(2026, 0, 5);
const dayMs = 86_400_000;
const itemOf = (skillId: string, difficulty = 0) => ({ itemId: `${skillId}-x`, skillIds: [skillId], difficulty });

function learnerOf(seed: string, options: Partial<LearnerOptions> = {}): SimulatedLearner {
  const random = seededRandom(seed);
  return newSimulatedLearner({ learnerId: seed, generator: "bkt", skills, random, from, ...options });
}

/** Of `count` learners: the share of answers that are correct, skips left out. */
function shareCorrect(count: number, make: (n: number) => SimulatedLearner, item = itemOf("s1")): number {
  let answers = 0;
  let correct = 0;
  for (let n = 0; n < count; n += 1) {
    const act = make(n).attempt(item, from).at(-1);
    if (act?.kind !== "answer") continue;
    answers += 1;
    correct += Number(act.correct);
  }
  return correct / answers;
}

describe.each(generatorNames)("%s", (generator) => {
  const done = (seed: string) => {
    const learner = learnerOf(seed, { generator, careless: 0.2, absent: 0.2 });
    const acts = course.items.map((item, k) => learner.attempt(item, from + k * 3_600_000));
    return { traits: learner.traits, acts, truth: skills.map(({ skillId }) => learner.masters(skillId, from + dayMs)) };
  };

  test("the same seed gives the same learner, another seed another", () => {
    expect(done("a")).toEqual(done("a"));
    expect(done("a")).not.toEqual(done("b"));
  });

  test("every attempt ends in an answer or a skip, with a time", () => {
    for (const acts of done("c").acts) {
      const last = acts.at(-1);
      expect(["answer", "skip"]).toContain(last?.kind);
      expect(last?.durationMs).toBeGreaterThan(0);
      expect(typeof last?.correct).toBe(last?.kind === "answer" ? "boolean" : "undefined");
    }
  });

  test("asking for the truth changes nothing", () => {
    const asked = learnerOf("d", { generator });
    const left = learnerOf("d", { generator });
    for (const [k, item] of course.items.entries()) {
      const at = from + k * 7_200_000;
      asked.successChance(item, at + dayMs);
      asked.masters("s2", at + dayMs);
      expect(asked.attempt(item, at)).toEqual(left.attempt(item, at));
    }
  });

  test("learners learn a skill by practice, and hardly without its prerequisite", () => {
    const share = (practised: readonly string[]): number => {
      let mastered = 0;
      for (let n = 0; n < 200; n += 1) {
        const learner = learnerOf(`l${n}`, { generator });
        const items = practised.flatMap((skillId) => Array.from({ length: 16 }, () => itemOf(skillId)));
        for (const [k, item] of items.entries()) learner.attempt(item, from + k * 60_000);
        mastered += Number(learner.masters("s2", from + items.length * 60_000));
      }
      return mastered / 200;
    };
    expect(share(["s1", "s2"])).toBeGreaterThan(0.85);
    expect(share(["s2"])).toBeLessThan(share(["s1", "s2"]) - 0.25);
    expect(share([])).toBeLessThan(0.15);
  });

  test("who masters a skill answers better and faster than who does not", () => {
    const outcome = (wanted: boolean) => {
      let answers = 0;
      let correct = 0;
      let ms = 0;
      for (let n = 0; n < 400; n += 1) {
        const learner = learnerOf(`m${n}`, { generator });
        for (let k = 0; k < n % 20; k += 1) learner.attempt(itemOf("s1"), from);
        if (learner.masters("s1", from) !== wanted) continue;
        const act = learner.attempt(itemOf("s1"), from).at(-1);
        if (act?.kind !== "answer") continue;
        answers += 1;
        correct += Number(act.correct);
        ms += act.durationMs ?? 0;
      }
      return { correct: correct / answers, ms: ms / answers, answers };
    };
    const knows = outcome(true);
    const guesses = outcome(false);
    expect(Math.min(knows.answers, guesses.answers)).toBeGreaterThan(40);
    expect(knows.correct).toBeGreaterThan(guesses.correct + 0.2);
    expect(knows.ms).toBeLessThan(guesses.ms);
  });
});

describe("slips, guesses and carelessness are met", () => {
  const knowing = (known: readonly string[]) => (n: number) => {
    const random = seededRandom(`k${n}`);
    const knowledge = () => newBktKnowledge({ skills, ability: 0, random }, plainBkt, new Set(known));
    // Nobody asks for hints, which help.
    let draws = 0;
    const noHints = () => (++draws === 25 ? 0 : random());
    return learnerOf(`k${n}`, { random: noHints, knowledge });
  };

  test("who knows slips at P(S), who does not guesses at P(G)", () => {
    expect(shareCorrect(6000, knowing(["s1"]))).toBeCloseTo(1 - plainBkt.slip, 1.7);
    expect(shareCorrect(6000, knowing([]))).toBeCloseTo(plainBkt.guess, 1.7);
  });

  test("a careless learner gets fifteen in a hundred wrong for no reason, and fast", () => {
    const careless = learnerOf("c", { careless: 1 });
    const careful = learnerOf("c");
    expect(careless.successChance(itemOf("s1"), from)).toBeCloseTo(
      0.85 * careful.successChance(itemOf("s1"), from),
      12,
    );
    const share = Array.from({ length: 500 }, (_, n) => learnerOf(`t${n}`, { careless: 0.3 }).traits.carelessness > 0);
    expect(share.filter(Boolean).length / 500).toBeCloseTo(0.3, 1);
  });
});

describe("forgetting", () => {
  const knowledgeOf = (seed: string) => newForgettingKnowledge({ skills, ability: 0, random: seededRandom(seed) });

  test("recall follows the power law: its logarithm is a straight line over log(1 + c t / stability)", () => {
    const stability = 4;
    const scale = 0.9 ** (-1 / 0.5) - 1;
    expect(powerLawRecall(stability, stability, 0.5)).toBeCloseTo(0.9, 12);
    for (const days of [0.5, 2, 10, 100]) {
      const slope = Math.log(powerLawRecall(days, stability, 0.5)) / Math.log(1 + (scale * days) / stability);
      expect(slope).toBeCloseTo(-0.5, 10);
    }
  });

  test("a rested learner answers as the power law says", () => {
    const item = itemOf("s1");
    const days = 10;
    let known = 0;
    let expected = 0;
    let correct = 0;
    for (let n = 0; n < 3000; n += 1) {
      const knowledge = knowledgeOf(`f${n}`);
      for (let k = 0; k < 12; k += 1) {
        knowledge.recall(item);
        knowledge.practise(item);
      }
      if (!knowledge.masters("s1", 0)) continue;
      known += 1;
      expected += knowledge.successChance(item, days);
      knowledge.rest(days);
      correct += knowledge.recall(item).p;
    }
    expect(known).toBeGreaterThan(2500);
    expect(correct / known).toBeCloseTo(expected / known, 1.4);
    expect(expected / known).toBeLessThan(0.85);
  });

  test("what is spaced is kept longer than what is massed", () => {
    const kept = (gapDays: number): number => {
      let mastered = 0;
      for (let n = 0; n < 300; n += 1) {
        const knowledge = knowledgeOf(`s${n}`);
        for (let k = 0; k < 12; k += 1) {
          knowledge.rest(gapDays);
          knowledge.recall(itemOf("s1"));
          knowledge.practise(itemOf("s1"));
        }
        mastered += Number(knowledge.masters("s1", 30));
      }
      return mastered / 300;
    };
    expect(kept(2)).toBeGreaterThan(kept(0) + 0.3);
  });
});

test("a class of school forgets what rests, the plain one does not", () => {
  const kept = (parameters: typeof plainBkt): number => {
    let count = 0;
    for (let n = 0; n < 500; n += 1) {
      const random = seededRandom(`r${n}`);
      const knowledge = newBktKnowledge({ skills, ability: 0, random }, parameters, new Set(["s1"]));
      knowledge.rest(15);
      count += Number(knowledge.masters("s1", 0));
    }
    return count / 500;
  };
  expect(kept(plainBkt)).toBe(1);
  expect(kept(schoolBkt)).toBeCloseTo(0.9, 1);
});

describe("sittings", () => {
  test("lie within their time, in order, in the afternoon", () => {
    const all = sittings(seededRandom("s"), from, from + 28 * dayMs);
    expect(all.length).toBeGreaterThan(4);
    const times = all.flatMap((s) => s.at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    for (const t of times) expect(new Date(t).getUTCHours()).toBeGreaterThanOrEqual(13);
  });

  test("an absent learner comes half as often or less, and stays away a week in every four", () => {
    const days = (seed: string, absent: boolean) =>
      sittings(seededRandom(seed), from, from + 280 * dayMs, { absent }).map(({ at }) => (at[0] ?? 0) / dayMs);
    let [present, missed] = [0, 0];
    for (let n = 0; n < 20; n += 1) {
      present += days(`p${n}`, false).length;
      const came = days(`p${n}`, true);
      missed += came.length;
      const gaps = came.slice(1).map((day, k) => day - (came[k] ?? 0));
      expect(gaps.filter((gap) => gap >= 7).length).toBeGreaterThanOrEqual(8);
    }
    expect(missed / present).toBeLessThan(0.5);
  });
});

describe("courses", () => {
  const below = (graph: "chain" | "tree" | "none") =>
    makeCourse({ skills: 5, itemsPerSkill: 2, graph, spread: 1, authorError: 0.5 }, seededRandom("g")).skills.map(
      ({ prerequisites }) => prerequisites.map(({ skillId }) => skillId),
    );
  test("skills build on each other as the graph says", () => {
    expect(below("chain")).toEqual([[], ["s1"], ["s2"], ["s3"], ["s4"]]);
    expect(below("tree")).toEqual([[], ["s1"], ["s1"], ["s2"], ["s2"]]);
    expect(below("none")).toEqual([[], [], [], [], []]);
  });

  test("difficulties are spread as asked, and their author errs as asked", () => {
    const options = { skills: 10, itemsPerSkill: 300, graph: "none", spread: 1.5, authorError: 0.4 } as const;
    const { items } = makeCourse(options, seededRandom("d"));
    const deviation = (values: readonly number[]) =>
      Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
    expect(deviation(items.map(({ difficulty }) => difficulty))).toBeCloseTo(1.5, 1);
    const errors = items.map(({ difficulty, guessedDifficulty }) => guessedDifficulty - difficulty);
    expect(deviation(errors)).toBeCloseTo(0.4, 1);
  });
});
