import { learnerModels } from "../../../domain/learner-model/models.ts";
import { best, fresh, given, isCalledMastered, oneOf, openSkills } from "./learner-facts.ts";
import type { StartPolicy } from "./policy.ts";

/*
 * What Proximal is held against. Each has the same bank, keeps the do-not-repeat window, and knows what the production code
 * knows of a learner, as far as it looks at it.
 */

/** Any item. */
export const randomItem: StartPolicy = ({ bank, random }) => ({
  choose: ({ state }) => given(oneOf(fresh(state, bank), random)),
});

/** Any item of a skill not mastered, open or not; any item when all are. */
export const randomUnmastered: StartPolicy = ({ bank, random }) => ({
  choose({ state, now }) {
    const open = bank.allItems.filter(({ skillIds }) => skillIds.some((id) => !isCalledMastered(state, bank, id, now)));
    return given(oneOf(fresh(state, bank, open.length > 0 ? open : bank.allItems), random));
  },
});

/** The skills in turn, each skill's items in turn, easiest first. */
export const roundRobin: StartPolicy = ({ bank, learners }) => {
  const turns = new Uint32Array(learners);
  return {
    choose({ index }) {
      const turn = turns[index] ?? 0;
      turns[index] = turn + 1;
      const { skills } = bank;
      const items = skills[turn % skills.length]?.items ?? [];
      return given(items[Math.floor(turn / skills.length) % items.length] ?? null);
    },
  };
};

/** What most of the class have done, not done lately. */
export const popular: StartPolicy = ({ bank, random }) => {
  const learnersOf = new Map<string, Set<string>>();
  return {
    choose: ({ state }) => given(best(fresh(state, bank), ({ itemId }) => learnersOf.get(itemId)?.size ?? 0, random)),
    observe({ learnerId }, { itemId }) {
      const learners = learnersOf.get(itemId) ?? new Set();
      learnersOf.set(itemId, learners.add(learnerId));
    },
  };
};

/** Any item of an open skill: prerequisites mastered, itself not (the outer fringe of Doignon, Falmagne 1999). */
export const frontier: StartPolicy = ({ bank, random }) => ({
  choose({ state, now }) {
    const open = openSkills(state, bank, now).flatMap(({ items }) => items);
    return given(oneOf(fresh(state, bank, open.length > 0 ? open : bank.allItems), random));
  },
});

/** The item whose answer tells most by the production model: success nearest even odds. */
export const maxInformation: StartPolicy = ({ bank, model, weights, random }) => {
  let prepared = { weights: weights(), questions: model.prepare(weights(), bank.allItems) };
  return {
    choose({ state }) {
      const published = weights();
      if (published !== prepared.weights) {
        prepared = { weights: published, questions: model.prepare(published, bank.allItems) };
      }
      const predict = prepared.questions.forLearner(state.local);
      return given(best(fresh(state, bank), ({ index }) => -Math.abs(predict(index) - 0.5), random));
    },
  };
};

/** The item nearest the target success by a plain Elo of its own, learnt as the class goes on. */
export const eloTarget: StartPolicy = ({ bank, random }) => {
  const { elo } = learnerModels;
  const weights = elo.newWeights();
  const locals = new Map<string, unknown>();
  const localOf = (learnerId: string): unknown => {
    const local = locals.get(learnerId) ?? elo.newLocal();
    locals.set(learnerId, local);
    return local;
  };
  const { targetSuccess } = bank.policy;
  return {
    choose({ state, learnerId }) {
      const local = localOf(learnerId);
      return given(
        best(fresh(state, bank), (item) => -Math.abs(elo.predict(weights, local, item) - targetSuccess), random),
      );
    },
    observe({ learnerId, now }, { itemId, skillIds, difficulty }, correct) {
      if (correct !== null) elo.learn(weights, localOf(learnerId), { itemId, skillIds, difficulty, correct, at: now });
    },
  };
};
