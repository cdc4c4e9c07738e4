import type { BankSkill, ItemBank } from "../../../domain/item-selection/selection.ts";
import type { Random } from "../../../domain/random.ts";
import { fresh, given, oneOf } from "./learner-facts.ts";
import type { RunningPolicy, StartPolicy } from "./policy.ts";

/*
 * After ZPDES (Clement, Roy, Oudeyer, Lopes 2015, "Multi-armed bandits for intelligent tutoring systems"): a bandit over the
 * skills of the zone of proximal development. A skill's worth is how much its success rose lately; the zone moves on where
 * success is high, and a skill leaves it once success is higher still. It asks nothing of any learner model.
 */

/** Answers over which the rise of success is taken: the later half against the earlier. */
const window = 6;
/** Success over the window that opens the skills built on it, and that closes a skill. */
const opensAt = 0.6;
const closesAt = 0.95;
/** The bandit's memory, its step and its share of chance. */
const keep = 0.7;
const step = 0.3;
const exploration = 0.2;
const smallestWorth = 0.05;

interface Arm {
  readonly outcomes: number[];
  worth: number;
  open: boolean;
  closed: boolean;
}

export const zpdes: StartPolicy = ({ bank, random, learners }) => {
  const zones = Array.from({ length: learners }, () => newZone(bank));
  return {
    choose({ index, state }) {
      const zone = zones[index] ?? [];
      const skill = drawSkill(zone, bank, random);
      return given(oneOf(fresh(state, bank, skill?.items), random));
    },
    observe({ index }, { skillIndexes }, correct) {
      if (correct === null) return;
      const zone = zones[index] ?? [];
      for (const skill of skillIndexes) note(zone[skill], correct);
      moveZone(zone, bank);
    },
  } satisfies RunningPolicy;
};

function newZone(bank: ItemBank): Arm[] {
  return bank.skills.map(({ prerequisites }) => ({
    outcomes: [],
    worth: 1,
    open: prerequisites.length === 0,
    closed: false,
  }));
}

/** In proportion to worth, and now and then any; among all skills when the zone is empty. */
function drawSkill(zone: readonly Arm[], bank: ItemBank, random: Random): BankSkill | null {
  const active = bank.skills.filter(({ index }) => zone[index]?.open === true && zone[index]?.closed === false);
  const skills = active.length > 0 ? active : bank.skills;
  if (random() < exploration) return oneOf(skills, random);
  const worths = skills.map(({ index }) => Math.max(smallestWorth, zone[index]?.worth ?? 0));
  let left = random() * worths.reduce((sum, worth) => sum + worth, 0);
  for (const [place, skill] of skills.entries()) {
    left -= worths[place] ?? 0;
    if (left < 0) return skill;
  }
  return skills.at(-1) ?? null;
}

function note(arm: Arm | undefined, correct: boolean): void {
  if (arm === undefined) return;
  arm.outcomes.push(Number(correct));
  if (arm.outcomes.length > window) arm.outcomes.shift();
  const half = arm.outcomes.length >> 1;
  const rise = mean(arm.outcomes.slice(half)) - mean(arm.outcomes.slice(0, half));
  arm.worth = keep * arm.worth + step * Math.max(0, rise);
}

function moveZone(zone: readonly Arm[], bank: ItemBank): void {
  for (const { index, prerequisites } of bank.skills) {
    const arm = zone[index];
    if (arm === undefined) continue;
    arm.open ||= prerequisites.every(({ skillId }) => {
      const below = zone[bank.skill.get(skillId)?.index ?? -1];
      return below === undefined || successOf(below) >= opensAt;
    });
    arm.closed = successOf(arm) >= closesAt;
  }
}

/** Over the whole window; 0 before it is full. */
const successOf = ({ outcomes }: Arm): number => (outcomes.length < window ? 0 : mean(outcomes));

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
