import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Answer, LearnerModel } from "./learner-model.ts";
import { findModel, learnerModels } from "./models.ts";

const answer = fc.record({
  itemId: fc.constantFrom("i1", "i2", "i3", "i4", "__proto__", "ítem 5"),
  skillIds: fc.subarray(["s1", "s2", "s3", "constructor"]),
  correct: fc.boolean(),
  at: fc.constantFrom(null, 0, 1_700_000_000_000, 1_700_000_900_000, 1_800_000_000_000),
});
const answers = fc.array(answer, { maxLength: 40 });
const question = answer;

interface Trained {
  readonly weights: unknown;
  readonly local: unknown;
  readonly predictions: number[];
}

function train(model: LearnerModel, history: readonly Answer[], weights = model.newWeights()): Trained {
  const local = model.newLocal();
  return { weights, local, predictions: history.map((each) => model.learn(weights, local, each)) };
}

/** Compared as text: element by element takes a hundred times as long. */
const written = (model: LearnerModel, weights: unknown): string =>
  Buffer.from(model.encodeWeights(weights)).toString("base64");

describe.each(Object.values(learnerModels))("model $name", (model) => {
  test("predicts strictly between 0 and 1, whatever was answered before", () => {
    fc.assert(
      fc.property(answers, question, (history, asked) => {
        const { weights, local, predictions } = train(model, history);
        for (const p of [...predictions, model.predict(weights, local, asked)]) {
          expect(p).toBeGreaterThan(0);
          expect(p).toBeLessThan(1);
        }
      }),
    );
  });

  test("stays within (0, 1) after thousands of equal answers", () => {
    for (const correct of [true, false]) {
      const same = Array.from({ length: 5_000 }, () => ({ itemId: "i", skillIds: ["s"], correct, at: null }));
      const last = train(model, same).predictions.at(-1) ?? 0.5;
      expect(last).toBeGreaterThan(0);
      expect(last).toBeLessThan(1);
      expect(Math.abs(last - (correct ? 1 : 0))).toBeLessThan(0.05);
    }
  });

  test("believes the author's difficulty before any answer, and the answers more and more", () => {
    const ask = (history: readonly Answer[], difficulty: number): number => {
      const weights = model.newWeights();
      for (const each of history) model.learn(weights, model.newLocal(), each);
      return model.predict(weights, model.newLocal(), { itemId: "i", skillIds: ["s"], difficulty });
    };
    const wins = Array.from({ length: 300 }, () => ({ itemId: "i", skillIds: ["s"], correct: true, at: null }));
    expect(ask([], 2)).toBeLessThan(0.2);
    expect(ask([], -2)).toBeGreaterThan(0.8);
    expect(ask([], 0)).toBe(0.5);
    expect(ask(wins, -2) - ask(wins, 2)).toBeLessThan((ask([], -2) - ask([], 2)) / 10);
  });

  test("takes an item that nobody answered for what its skills are, and a new skill for an average one", () => {
    const weights = model.newWeights();
    for (let n = 0; n < 400; n++) {
      const local = model.newLocal();
      for (const skill of ["hard", "easy"]) {
        const question = { itemId: `${skill} ${n % 20}`, skillIds: [skill], at: null };
        model.learn(weights, local, { ...question, correct: skill === "easy" ? n % 5 > 0 : n % 5 === 0 });
      }
    }
    const cold = (skillId: string, difficulty?: number): number =>
      model.predict(weights, model.newLocal(), { itemId: "new", skillIds: [skillId], difficulty });
    expect(cold("hard")).toBeLessThan(cold("new") - 0.1);
    expect(cold("easy")).toBeGreaterThan(cold("new") + 0.1);
    expect(cold("new", 1)).toBeLessThan(cold("new") - 0.1);
    expect(model.difficulty(weights, { itemId: "new", skillIds: ["hard"] })).toBeGreaterThan(0.2);
    expect(model.difficulty(weights, { itemId: "new", skillIds: ["new"], difficulty: 1 })).toBe(1);
  });

  test("gives the same numbers to the same calls", () => {
    fc.assert(
      fc.property(answers, (history) => {
        const first = train(model, history);
        const second = train(model, history);
        expect(second.predictions).toEqual(first.predictions);
        expect(written(model, second.weights)).toBe(written(model, first.weights));
        expect(model.localToJson(second.local)).toEqual(model.localToJson(first.local));
      }),
    );
  });

  test("predict changes nothing", () => {
    fc.assert(
      fc.property(answers, question, (history, asked) => {
        const { weights, local } = train(model, history);
        const before = [written(model, weights), model.localToJson(local)];
        const p = model.predict(weights, local, asked);
        expect(model.predict(weights, local, asked)).toBe(p);
        expect([written(model, weights), model.localToJson(local)]).toEqual(before);
      }),
    );
  });

  test("prepared questions are predicted the same, to the last bit, one learner after the other", () => {
    fc.assert(
      fc.property(answers, answers, fc.array(question, { maxLength: 12 }), (history, others, asked) => {
        const { weights, local } = train(model, history);
        const other = model.newLocal();
        for (const each of others) model.observe(weights, other, each);
        const at = asked[0]?.at ?? null;
        const byId = [...new Map(asked.map((each) => [each.itemId, { ...each, difficulty: 0.7, at }])).values()];
        const prepared = model.prepare(weights, byId);
        for (const one of [local, other, local, model.newLocal()]) {
          const predict = prepared.forLearner(one, at);
          expect(byId.map((_, number) => predict(number))).toEqual(
            byId.map((each) => model.predict(weights, one, each)),
          );
        }
      }),
    );
  });

  test("an explanation has the prediction to the last bit, terms that sum to its logit, and a deviation", () => {
    fc.assert(
      fc.property(answers, question, fc.constantFrom(undefined, -1, 2), (history, asked, difficulty) => {
        const { weights, local } = train(model, history);
        const put = { ...asked, difficulty };
        const { p, logit, sd, terms } = model.explain(weights, local, put);
        expect(p).toBe(model.predict(weights, local, put));
        expect(terms.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(logit, 10);
        for (const { value, weight, contribution } of terms) expect(contribution).toBe(value * weight);
        expect(1 / (1 + Math.exp(-logit))).toBeCloseTo(p, 10);
        expect(sd).toBeGreaterThan(0);
        expect(new Set(terms.map(({ feature }) => feature)).size).toBe(terms.length);
      }),
    );
  });

  test("is the surer of a learner and an item the more they answered", () => {
    const weights = model.newWeights();
    const local = model.newLocal();
    const asked = { itemId: "i", skillIds: ["s"], at: null };
    const before = model.explain(weights, local, asked).sd;
    for (let n = 0; n < 100; n++) model.learn(weights, local, { ...asked, correct: n % 2 === 0 });
    expect(model.explain(weights, local, asked).sd).toBeLessThan(before / 2);
  });

  test("observe never changes the weights, and returns what predict said", () => {
    fc.assert(
      fc.property(answers, answers, (history, later) => {
        const { weights } = train(model, history);
        const local = model.newLocal();
        const before = written(model, weights);
        for (const each of later) {
          const p = model.predict(weights, local, each);
          expect(model.observe(weights, local, each)).toBe(p);
        }
        expect(written(model, weights)).toBe(before);
      }),
    );
  });

  test("a state or weights written and read back have the same future, to the last bit", () => {
    fc.assert(
      fc.property(answers, answers, (history, later) => {
        const kept = train(model, history);
        const local = model.localFromJson(JSON.parse(JSON.stringify(model.localToJson(kept.local))));
        const weights = model.decodeWeights(model.encodeWeights(kept.weights));
        for (const each of later) {
          expect(model.learn(weights, local, each)).toBe(model.learn(kept.weights, kept.local, each));
        }
        expect(written(model, weights)).toBe(written(model, kept.weights));
        expect(JSON.stringify(model.localToJson(local))).toBe(JSON.stringify(model.localToJson(kept.local)));
      }),
    );
  });

  test("published weights say what the trainer's own say, and are read back as they were", () => {
    fc.assert(
      fc.property(answers, question, (history, asked) => {
        const { weights, local } = train(model, history);
        const bytes = model.encodePublished(weights);
        const published = model.decodeWeights(bytes);
        expect(Buffer.compare(model.encodePublished(published), bytes)).toBe(0);
        expect(model.predict(published, local, asked)).toBeCloseTo(model.predict(weights, local, asked), 2);
      }),
    );
  });

  test("the order and repetition of the skills of a question do not matter", () => {
    fc.assert(
      fc.property(answers, (history) => {
        const turned = history.map((each) => ({
          ...each,
          skillIds: [...each.skillIds, ...each.skillIds].reverse(),
        }));
        const first = train(model, history);
        const second = train(model, turned);
        expect(second.predictions).toEqual(first.predictions);
        expect(written(model, second.weights)).toBe(written(model, first.weights));
        expect(model.localToJson(second.local)).toEqual(model.localToJson(first.local));
      }),
    );
  });

  test("unknown items and skills are average ones", () => {
    const { weights, local } = train(model, []);
    expect(model.predict(weights, local, { itemId: "never seen", skillIds: ["nor this"] })).toBe(0.5);
    expect(model.difficulty(weights, { itemId: "never seen", skillIds: ["nor this"] })).toBe(0);
    expect(model.difficulty(weights, { itemId: "never seen", skillIds: [] })).toBe(0);
  });

  test("an item that is failed is harder than one that is solved", () => {
    const weights = model.newWeights();
    for (let k = 0; k < 50; k++) {
      const local = model.newLocal();
      model.learn(weights, local, { itemId: "easy", skillIds: ["s"], correct: true, at: null });
      model.learn(weights, local, { itemId: "hard", skillIds: ["s"], correct: false, at: null });
    }
    const difficulty = (itemId: string): number => model.difficulty(weights, { itemId, skillIds: ["s"] });
    expect(difficulty("hard")).toBeGreaterThan(difficulty("easy") + 1);
    const fresh = model.newLocal();
    expect(model.predict(weights, fresh, { itemId: "easy", skillIds: ["s"] })).toBeGreaterThan(0.6);
    expect(model.predict(weights, fresh, { itemId: "hard", skillIds: ["s"] })).toBeLessThan(0.4);
  });

  test("refuses weights it did not write", () => {
    const { weights } = train(model, [{ itemId: "i", skillIds: ["s"], correct: true, at: null }]);
    const bytes = model.encodeWeights(weights);
    const other = Object.values(learnerModels).find(({ name }) => name !== model.name) ?? model;
    expect(() => other.decodeWeights(bytes)).toThrow(`weights of model "${model.name}", expected "${other.name}"`);
    expect(() => model.decodeWeights(bytes.subarray(0, bytes.length - 1))).toThrow("cut short");
    expect(() => model.decodeWeights(new Uint8Array())).toThrow("not model weights");
    expect(() => model.decodeWeights(new TextEncoder().encode("{ } some other file entirely"))).toThrow("not model");
    for (let k = 12; k < bytes.length; k++) {
      const damaged = bytes.slice();
      damaged[k] = (damaged[k] ?? 0) ^ 1;
      expect(() => model.decodeWeights(damaged), `byte ${k}`).toThrow();
    }
  });

  test("refuses a state it did not write, and names the element", () => {
    for (const json of [null, {}, [], "x", [1], [1, 2, 3, 4, 5, 6, 7, 8], [0.5]]) {
      expect(() => model.localFromJson(json)).toThrow(`${model.name} state`);
    }
    const written = model.localToJson(model.newLocal()) as unknown[];
    expect(() => model.localFromJson([...written, 1])).toThrow("elements");
  });
});

test("a model is found by its name, and nothing else is", () => {
  expect(findModel("elo")).toBe(learnerModels.elo);
  expect(findModel("lr-lite")).toBe(learnerModels["lr-lite"]);
  expect(findModel("constructor")).toBeNull();
});
