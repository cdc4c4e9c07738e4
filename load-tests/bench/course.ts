/** A course and a class to load the system with: always the same, from a small generator of pseudo-random numbers. */

const skillCount = 12;
const itemsPerSkill = 20;
export const trackId = "bench-track";

const skillOf = (n: number): string => `bench-skill-${n}`;
const itemOf = (n: number): string => `bench-item-${n}`;
export const learnerOf = (n: number): string => `bench-learner-${n}`;

export const skills = Array.from({ length: skillCount }, (_, n) => ({
  skillId: skillOf(n),
  title: `Skill ${n + 1}`,
  prerequisites: n % 4 === 0 ? [] : [{ skillId: skillOf(n - 1) }],
}));

export const items = Array.from({ length: skillCount * itemsPerSkill }, (_, n) => ({
  itemId: itemOf(n),
  title: `Item ${n + 1}`,
  skillIds: [skillOf(Math.floor(n / itemsPerSkill))],
  difficulty: ((n % itemsPerSkill) - itemsPerSkill / 2) / 5,
}));

export const track = { trackId, title: "Bench", skillIds: skills.map((skill) => skill.skillId) };

/** The n-th answer of a learner, as POST /v1/interactions takes it. */
export function answer(learner: number, n: number): object {
  const draw = Math.imul(learner * 7919 + n * 104_729 + 1, 2_654_435_761) >>> 0;
  return {
    learnerId: learnerOf(learner),
    itemId: itemOf(draw % items.length),
    kind: "answer",
    correct: (draw >>> 8) % 10 < 7,
    durationMs: 2_000 + ((draw >>> 12) % 20_000),
  };
}
