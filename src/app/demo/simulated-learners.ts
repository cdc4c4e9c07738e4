import { type Random, seededRandom, standardNormal } from "../../domain/random.ts";

/**
 * Learners that are not there: who knows which skill is a hidden truth (Bayesian Knowledge Tracing with forgetting),
 * and how well knowledge shows depends on ability and difficulty (as in item response theory). A skill is hardly
 * learnt while its prerequisites are missing. Pure: each step is a function of the mind, the item and random numbers.
 */
export interface SimulatedSkill {
  readonly skillId: string;
  readonly prerequisites: readonly { readonly skillId: string }[];
}
export interface SimulatedItem {
  readonly itemId: string;
  readonly skillIds: readonly string[];
  /** Logits, 0 when left out. */
  readonly difficulty?: number | undefined;
}

export interface SimulatedLearner {
  readonly learnerId: string;
  /** Logits; a class is spread as a standard normal. */
  readonly ability: number;
  /** Factor on response times. */
  readonly pace: number;
  /** How soon hints are asked for, 0..1. */
  readonly asksForHints: number;
  /** The hidden truth: skills known now. */
  readonly known: ReadonlySet<string>;
}

/** What the learner did with one item, in order. The last one is always an answer or a skip. */
export interface SimulatedAct {
  readonly kind: "view" | "hint" | "answer" | "skip" | "rating";
  readonly correct?: boolean;
  readonly rating?: number;
  readonly durationMs?: number;
  readonly hintCount?: number;
}

export interface SimulatedStep {
  readonly learner: SimulatedLearner;
  readonly acts: readonly SimulatedAct[];
}

export function newSimulatedLearner(
  learnerId: string,
  skills: readonly SimulatedSkill[],
  random: Random,
): SimulatedLearner {
  const ability = standardNormal(random);
  const known = new Set<string>();
  for (const { skillId, prerequisites } of skills) {
    const ready = prerequisites.every((p) => known.has(p.skillId));
    const chance = prerequisites.length === 0 ? 0.35 + 0.15 * ability : 0.12 + 0.08 * ability;
    if (random() < (ready ? chance : 0)) known.add(skillId);
  }
  const pace = Math.max(0.5, 1 - 0.2 * ability + 0.2 * standardNormal(random));
  return { learnerId, ability, pace, asksForHints: random() * 0.6, known };
}

/** Names for a class: "ada", "ben", ... and with a number where a class is larger than the list. */
export function learnerIdsOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const name = names[i % names.length] ?? "learner";
    return i < names.length ? name : `${name}-${Math.floor(i / names.length) + 1}`;
  });
}

/** One item put to the learner, `daysSinceLast` after the one before. */
export function attempt(
  learner: SimulatedLearner,
  item: SimulatedItem,
  skills: ReadonlyMap<string, SimulatedSkill>,
  daysSinceLast: number,
  random: Random,
): SimulatedStep {
  const remembered = afterRest(learner, daysSinceLast, random);
  const difficulty = item.difficulty ?? 0;
  const knows = item.skillIds.every((id) => remembered.known.has(id));
  const { durationMs, newMaterial } = timing(remembered, item, knows, random);
  if (!knows && random() < 0.02 + 0.01 * Math.max(0, difficulty)) {
    return { learner: remembered, acts: [{ kind: "skip", durationMs: Math.round(durationMs / 3) }] };
  }
  const hintCount = hintsAsked(remembered, knows, random);
  const correct = random() < successChance(remembered, difficulty, knows, hintCount);
  const acts: SimulatedAct[] = [];
  if (newMaterial) acts.push({ kind: "view", durationMs: Math.round(durationMs * 0.6) });
  if (hintCount > 0) acts.push({ kind: "hint" });
  if (random() < 0.01)
    acts.push({ kind: "rating", rating: knows ? 4 + Math.round(random()) : 2 + Math.round(random()) });
  acts.push({ kind: "answer", correct, durationMs, hintCount });
  return { learner: afterPractice(remembered, item, skills, random), acts };
}

/** P(correct): slips where the skills are known, guesses where they are not. */
function successChance({ ability }: SimulatedLearner, difficulty: number, knows: boolean, hints: number): number {
  if (knows) return 1 - logistic(-2.4 - 0.4 * ability + 0.6 * difficulty);
  return Math.min(0.9, logistic(-1.2 + 0.3 * ability - 0.6 * difficulty) + 0.12 * hints);
}

function hintsAsked({ asksForHints }: SimulatedLearner, knows: boolean, random: Random): number {
  const chance = knows ? asksForHints * 0.1 : asksForHints;
  let hints = 0;
  while (hints < 3 && random() < chance) hints += 1;
  return hints;
}

function timing(
  { pace, known }: SimulatedLearner,
  item: SimulatedItem,
  knows: boolean,
  random: Random,
): { durationMs: number; newMaterial: boolean } {
  const spread = Math.max(0.3, 1 + 0.35 * standardNormal(random));
  const seconds = (knows ? 14 : 26) * pace * (1 + 0.15 * (item.difficulty ?? 0)) * spread;
  const newMaterial = random() < 0.06 && item.skillIds.some((id) => !known.has(id));
  return { durationMs: Math.max(1200, Math.round(seconds * 1000)), newMaterial };
}

/** P(T) of Bayesian Knowledge Tracing, a fifth of it while a prerequisite is missing. */
function afterPractice(
  learner: SimulatedLearner,
  item: SimulatedItem,
  skills: ReadonlyMap<string, SimulatedSkill>,
  random: Random,
): SimulatedLearner {
  const learnt = item.skillIds.filter((skillId) => {
    const ready = (skills.get(skillId)?.prerequisites ?? []).every((p) => learner.known.has(p.skillId));
    const chance = Math.min(0.6, Math.max(0.03, 0.16 + 0.05 * learner.ability)) * (ready ? 1 : 0.2);
    return random() < chance && !learner.known.has(skillId);
  });
  return learnt.length === 0 ? learner : { ...learner, known: new Set([...learner.known, ...learnt]) };
}

/** Each day of rest loses a known skill with a chance of one in a hundred and fifty. */
function afterRest(learner: SimulatedLearner, days: number, random: Random): SimulatedLearner {
  if (days < 0.5) return learner;
  const chance = Math.min(0.2, days / 150);
  const kept = [...learner.known].filter(() => random() >= chance);
  return kept.length === learner.known.size ? learner : { ...learner, known: new Set(kept) };
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

const names = [
  "ada",
  "ben",
  "chloe",
  "dmitri",
  "elif",
  "farid",
  "grace",
  "hugo",
  "ines",
  "jonas",
  "kaya",
  "liam",
  "mina",
  "noah",
  "olga",
  "pablo",
  "quinn",
  "rosa",
  "samir",
  "tess",
  "uma",
  "victor",
  "wen",
  "xenia",
  "yusuf",
  "zoe",
  "amara",
  "bruno",
  "carla",
  "dina",
];

/** The random numbers of a learner's n-th step: a restart that replays the steps comes to the same mind. */
export function stepRandom(seed: string, learnerId: string, step: number): Random {
  return seededRandom(`${seed}/${learnerId}/${step}`);
}
