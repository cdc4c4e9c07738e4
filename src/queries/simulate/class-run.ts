import { type LearnerState, newLearnerState } from "../../domain/learner/learner-state.ts";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { seededRandom } from "../../domain/random.ts";
import { dueCards } from "../../domain/reviews/cards.ts";
import { makeCourse, type SimulatedItem } from "../../domain/simulated-learners/course.ts";
import { newSimulatedLearner, type SimulatedLearner } from "../../domain/simulated-learners/learner.ts";
import { sittings } from "../../domain/simulated-learners/schedule.ts";
import { bankOfCourse } from "./course-bank.ts";
import { foldAct, type Production } from "./fold-act.ts";
import {
  type ClassRun,
  measuresOf,
  newTally,
  noteGiven,
  type SeatTally,
  shareMastered,
  surestFirst,
  type Tally,
} from "./measures.ts";
import { createOnlineTrainer } from "./online-trainer.ts";
import { certaintyIn, isCalledMastered } from "./policies/learner-facts.ts";
import type { RunningPolicy } from "./policies/policy.ts";
import { policies } from "./policies/registry.ts";
import type { ClassTask, Simulation } from "./simulation.ts";

/** One learner of the class. */
interface Seat {
  readonly learner: SimulatedLearner;
  readonly index: number;
  readonly state: LearnerState;
  readonly tally: SeatTally;
  /** Skills called mastered up to now, each noted once. */
  readonly called: Set<string>;
  done: boolean;
}

/** The classroom: who learns, what decides, and what is counted. */
interface Class extends Production {
  /** The items as they are, by id; the bank has them as their author sees them. */
  readonly items: ReadonlyMap<string, SimulatedItem>;
  readonly policy: RunningPolicy;
  readonly tally: Tally;
  readonly budget: number;
  readonly horizon: number;
}

const start = Date.UTC(2026, 0, 5);
const dayMs = 86_400_000;
/** Long enough for the horizon of an absent learner. */
const daysOf = (horizon: number): number => 60 + horizon;

/**
 * A class of simulated learners on one course under one policy. Each learner comes when their sittings say; each answer goes
 * through the learner state fold and the trainer that production uses, in order of time over the whole class. A function
 * of its arguments: the course, what each learner is at first and when they come depend on seed and generator alone.
 */
export function runClass(simulation: Simulation, { generator, policy, seed }: ClassTask): ClassRun {
  const { learners, careless, absent } = simulation;
  const { skills } = simulation;
  const course = makeCourse(simulation, seededRandom(`${seed}/course`));
  const bank = bankOfCourse(course, simulation.policy);
  const model = learnerModels[simulation.model];
  const trainer = createOnlineTrainer(model);
  const tally = newTally(learners);
  const random = seededRandom(`${seed}/${policy}`);
  const horizon = Math.round(simulation.horizonPerSkill * skills);
  const room: Class = {
    bank,
    items: new Map(course.items.map((item) => [item.itemId, item])),
    model,
    trainer,
    policy: policies[policy]({ bank, model, weights: trainer.weights, random, learners }),
    tally,
    budget: Math.min(horizon, Math.round(simulation.budgetPerSkill * skills)),
    horizon,
  };
  const seats = tally.seats.map((seatTally, index): Seat => {
    const learnerId = `learner${index}`;
    const own = seededRandom(`${seed}/${generator}/${index}`);
    const learner = newSimulatedLearner({
      ...{ learnerId, generator, skills: course.skills, random: own, from: start, careless, absent },
    });
    return { learner, index, state: newLearnerState(model), tally: seatTally, called: new Set(), done: false };
  });
  for (const { seat, at } of timetable(seats, seed, horizon)) if (!seat.done) step(room, seat, at);
  return { measures: measuresOf(tally, bank, horizon), calls: surestFirst(tally.callsAtEnd) };
}

/** Who comes when, in order of time. */
function timetable(seats: readonly Seat[], seed: number, horizon: number): { seat: Seat; at: number }[] {
  const all = seats.flatMap((seat) => {
    const random = seededRandom(`${seed}/times/${seat.index}`);
    const { absent } = seat.learner.traits;
    const times = sittings(random, start, start + daysOf(horizon) * dayMs, { absent }).flatMap(({ at }) => at);
    return times.slice(0, horizon).map((at) => ({ seat, at }));
  });
  return all.sort((a, b) => a.at - b.at || a.seat.index - b.seat.index);
}

function step(room: Class, seat: Seat, now: number): void {
  const { bank, tally, trainer, model } = room;
  const { learner, index, state } = seat;
  const view = { learnerId: learner.learnerId, index, state, now };
  const chosen = room.policy.choose(view);
  if (chosen === null) return;
  const { item } = chosen;
  const inBudget = seat.tally.items < room.budget;
  const known = item.skillIds.every((id) => isCalledMastered(state, bank, id, now));
  const p = model.predict(trainer.weights(), state.local, item);
  const acts = learner.attempt(room.items.get(item.itemId) ?? item, now);
  for (const act of acts)
    foldAct(room, { learnerId: learner.learnerId, state, item, act, at: now, sessionType: "practice" });
  const last = acts.at(-1);
  const correct = last?.kind === "answer" ? last.correct === true : null;
  room.policy.observe?.(view, item, correct);
  const minutes = acts.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0) / 60_000;
  seat.tally.items += 1;
  seat.tally.minutes += minutes;
  if (inBudget) {
    noteGiven(tally, item, chosen.review || known);
    if (correct !== null) {
      tally.predictions.push(p);
      tally.outcomes.push(Number(correct));
    }
  }
  look(room, seat, now);
}

/** Compares what is believed of the learner with what is true, where that counts. */
function look({ bank, tally, budget, horizon }: Class, seat: Seat, now: number): void {
  const { learner, state, called } = seat;
  const own = seat.tally;
  for (const skillId of bank.skillIds) {
    if (called.has(skillId) || !isCalledMastered(state, bank, skillId, now)) continue;
    called.add(skillId);
    tally.calls += 1;
    tally.falseCalls += learner.masters(skillId, now) ? 0 : 1;
  }
  const truth = shareMastered(learner, bank, now);
  if (truth === 1) own.itemsToTruth ??= own.items;
  const calledAll =
    called.size === bank.skillIds.length && bank.skillIds.every((id) => isCalledMastered(state, bank, id, now));
  const isLast = own.items === horizon;
  if (own.itemsToCall === null && (calledAll || isLast)) {
    if (calledAll) own.itemsToCall = own.items;
    own.trueAtCall = truth;
  }
  if (own.itemsToMastery === null && ((calledAll && truth === 1) || isLast)) {
    if (calledAll && truth === 1) own.itemsToMastery = own.items;
    own.minutesToMastery = own.minutes;
  }
  if (own.items === budget) {
    for (const id of bank.skillIds) {
      if (!isCalledMastered(state, bank, id, now)) continue;
      tally.callsAtEnd.push({ certainty: certaintyIn(state, id, now), true: learner.masters(id, now) });
    }
    own.trueAtEnd = truth;
    own.overdue = dueCards(state.cards, now).length;
    own.minutesInBudget = own.minutes;
  }
  seat.done = isLast || (own.items >= budget && own.itemsToMastery !== null);
}
