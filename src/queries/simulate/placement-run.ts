import { policySchema } from "../../domain/events.ts";
import type { ItemBank } from "../../domain/item-selection/selection.ts";
import { newLearnerState } from "../../domain/learner/learner-state.ts";
import { selectForLearner } from "../../domain/learner/select-for-learner.ts";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { type Random, seededRandom, standardNormal } from "../../domain/random.ts";
import { makeCourse } from "../../domain/simulated-learners/course.ts";
import { logistic } from "../../domain/simulated-learners/knowledge.ts";
import { meanOf } from "../statistics/intervals.ts";
import { bankOfCourse } from "./course-bank.ts";
import { foldAct } from "./fold-act.ts";
import { createOnlineTrainer } from "./online-trainer.ts";
import { best, oneOf } from "./policies/learner-facts.ts";
import type { PlacementTask, Simulation } from "./simulation.ts";

/** Items until the ability is known to the standard error asked for. */
export interface PlacementMeasures {
  readonly items: number;
  /** |estimate - truth| then, logits. */
  readonly error: number;
}

/** Standard error at which a placement ends, logits. */
const wantedError = 0.3;
const start = Date.UTC(2026, 0, 5);
const itemMs = 60_000;

/**
 * A placement session under the Rasch model: P(correct) = logistic(ability - difficulty), abilities standard normal,
 * nothing learnt on the way, difficulties known to the author as they are. It ends when the posterior standard deviation of
 * the ability, 1 / sqrt(1 + sum p (1 - p)) at its mode (the prior is worth 1), falls to {@link wantedError}: at even odds
 * all along after 41 items. The estimate is the harness's own, the same for all who choose.
 */
export function runPlacement(simulation: Simulation, { policy, seed }: PlacementTask): PlacementMeasures {
  const options = { ...simulation, itemsPerSkill: Math.ceil(placementBank / simulation.skills), authorError: 0 };
  const course = makeCourse({ ...options, graph: "none", spread: 1 }, seededRandom(`${seed}/placement`));
  const bank = bankOfCourse(course, policySchema.parse({ ...simulation.policy }));
  const model = learnerModels[simulation.model];
  const trainer = createOnlineTrainer(model);
  const draw = seededRandom(`${seed}/placement/${policy}`);
  const sessions = Array.from({ length: simulation.learners }, (_, index) => {
    const random = seededRandom(`${seed}/placement/${index}`);
    const learnerId = `learner${index}`;
    const ability = standardNormal(random);
    const state = newLearnerState(model);
    const answers: Response[] = [];
    let posterior = { ability: 0, error: 1 };
    const ofModel = (): string | undefined =>
      selectForLearner({
        ...{ learnerId, state, bank, model, weights: trainer.weights(), sessionType: "placement", size: 1 },
        now: start + answers.length * itemMs,
      }).items[0]?.itemId;
    while (posterior.error > wantedError && answers.length < bank.allItems.length) {
      const itemId = policy === "proximal" ? ofModel() : choose[policy](bank, posterior.ability, answers, draw);
      const item = bank.items.get(itemId ?? "");
      if (item === undefined) break;
      const difficulty = item.difficulty ?? 0;
      const correct = random() < logistic(ability - difficulty);
      const act = { kind: "answer", correct } as const;
      const at = start + answers.length * itemMs;
      foldAct({ bank, model, trainer }, { learnerId, state, item, act, at, sessionType: "placement" });
      answers.push({ itemId: item.itemId, difficulty, correct });
      posterior = posteriorOf(answers);
    }
    return { items: answers.length, error: Math.abs(posterior.ability - ability) };
  });
  return { items: meanOf(sessions.map(({ items }) => items)), error: meanOf(sessions.map(({ error }) => error)) };
}

/** Items of the bank. */
const placementBank = 500;

interface Response {
  readonly itemId: string;
  readonly difficulty: number;
  readonly correct: boolean;
}

type Choose = (bank: ItemBank, ability: number, answers: readonly Response[], random: Random) => string | undefined;

const choose: Record<Exclude<PlacementTask["policy"], "proximal">, Choose> = {
  "max-information": (bank, ability, answers, random) =>
    best(unanswered(bank, answers), ({ difficulty = 0 }) => -Math.abs(ability - difficulty), random)?.itemId,
  random: (bank, _, answers, random) => oneOf(unanswered(bank, answers), random)?.itemId,
};

function unanswered({ allItems }: ItemBank, answers: readonly Response[]) {
  const done = new Set(answers.map(({ itemId }) => itemId));
  return allItems.filter(({ itemId }) => !done.has(itemId));
}

/** Mode and curvature of the posterior, standard normal prior, by Newton's method: it is concave, a few steps do. */
export function posteriorOf(answers: readonly Response[]): { readonly ability: number; readonly error: number } {
  let ability = 0;
  let information = 1;
  for (let step = 0; step < 20; step++) {
    let slope = -ability;
    information = 1;
    for (const { difficulty, correct } of answers) {
      const p = logistic(ability - difficulty);
      slope += Number(correct) - p;
      information += p * (1 - p);
    }
    const change = slope / information;
    ability += Math.max(-1, Math.min(1, change));
    if (Math.abs(change) < 1e-6) break;
  }
  return { ability, error: 1 / Math.sqrt(information) };
}
