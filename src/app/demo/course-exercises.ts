/*
 * Exercises of the demo course, by skill, easiest first. Each is made of small numbers that grow with its place in the
 * list (0, 1, 2, ...), chosen so that the answers are simple.
 */

export type Exercise = (place: number) => string;

/** "+ 3" or "- 3". */
const plus = (value: number): string => (value < 0 ? `- ${-value}` : `+ ${value}`);
/** "(-3)" in the middle of a sum. */
const term = (value: number): string => (value < 0 ? `(${value})` : `${value}`);
/** "x" rather than "1x". */
const times = (factor: number, name: string): string =>
  factor === 1 ? name : factor === -1 ? `-${name}` : `${factor}${name}`;
const alternating = (place: number): number => (place % 2 === 0 ? 1 : -1);

const names = ["Amal", "Bea", "Chen", "Dario", "Eva", "Finn", "Gita", "Hana", "Ivo", "Jun", "Kim", "Leo"];
const nameAt = (place: number): string => names[place % names.length] ?? "Amal";

export const exercises = {
  "integer-sums": (n) => `Work out ${-(n + 2)} ${plus(alternating(n) * (3 * n + 4))}`,
  "integer-products": (n) =>
    n % 3 === 2 ? `Work out ${-(n + 2) * (n + 1)} ÷ ${term(n + 2)}` : `Work out ${n + 3} × ${term(-(n + 2))}`,
  "order-of-operations": (n) =>
    n % 2 === 0
      ? `Work out ${n + 3} + ${n + 2} × ${n + 4}`
      : `Work out (${2 * n + 5} - ${n + 2}) × ${term(-(n + 1))} + ${n + 6}`,
  powers: (n) =>
    n < 5
      ? `Work out ${n + 2}^${n < 2 ? 3 : 2}`
      : n < 9
        ? `Write 2^${n - 2} × 2^${n} as one power of 2`
        : `Write (3^${n - 6})^${n - 7} as one power of 3`,
  "simplifying-fractions": (n) => `Simplify ${(n + 1) * (n + 2)}/${(n + 2) * (n + 4)}`,
  "adding-fractions": (n) =>
    n < 4 ? `Work out ${n + 1}/${n + 7} + ${n + 2}/${n + 7}` : `Work out ${n - 2}/${n} + 1/${n + 1}`,
  "multiplying-fractions": (n) =>
    n % 2 === 0 ? `Work out ${n + 1}/${n + 4} × ${n + 2}/${n + 3}` : `Work out ${n + 2}/${n + 5} ÷ ${n}/${n + 3}`,
  percentages: (n) =>
    n < 5
      ? `Find ${(n + 1) * 10} % of ${(n + 2) * 30}`
      : `${nameAt(n)} buys a coat of ${n * 20} euros at ${n * 5 - 10} % off: what is the price?`,
  "evaluating-expressions": (n) =>
    n % 2 === 0
      ? `Find ${n + 2}x ${plus(n + 1)} for x = ${n + 3}`
      : `Find ${times(n, "a")} - ${n + 1}b for a = ${-(n + 1)} and b = ${n - 4}`,
  "like-terms": (n) =>
    n < 6
      ? `Simplify ${n + 3}x ${plus(n + 2)} + ${times(n + 1, "x")} - ${n + 5}`
      : `Simplify ${n}a - ${n - 3}b ${plus(n + 1)} - ${n + 2}a + ${n + 4}b`,
  "expanding-brackets": (n) =>
    n < 7
      ? `Expand ${n % 2 === 0 ? n + 2 : -(n + 2)}(${times(n + 1, "x")} ${plus(alternating(n) * (n + 3))})`
      : `Expand (x + ${n - 5})(x ${plus(alternating(n) * (n - 4))})`,
  "one-step-equations": (n) =>
    n < 6
      ? `Solve x ${plus(alternating(n) * (n + 4))} = ${3 * n + 2}`
      : n < 10
        ? `Solve ${n - 2}x = ${(n - 2) * (n - 9)}`
        : `Solve x/${n - 6} = ${-(n - 7)}`,
  "two-step-equations": (n) =>
    `Solve ${n + 2}x ${plus(alternating(n) * (n + 5))} = ${(n + 2) * (7 - n) + alternating(n) * (n + 5)}`,
  "equations-both-sides": (n) =>
    n < 6
      ? `Solve ${n + 4}x ${plus(n + 1)} = ${times(n + 1, "x")} ${plus(3 * (n - 2) + n + 1)}`
      : `Solve ${n - 3}(x - ${n - 5}) = ${times(n - 5, "x")} + ${2 * (n - 4) - (n - 3) * (n - 5)}`.replace("+ -", "- "),
  "equations-with-fractions": (n) =>
    n < 6 ? `Solve x/${n + 2} + ${n + 1} = ${n + 5}` : `Solve ${n - 4}x/${n - 1} - ${n - 5} = ${2 * (n - 4) - (n - 5)}`,
  inequalities: (n) =>
    n < 6
      ? `Solve ${n + 2}x ${plus(n - 3 === 0 ? 1 : n - 3)} < ${(n + 2) * (n + 1) + (n - 3 === 0 ? 1 : n - 3)}`
      : `Solve ${n - 2} - ${n - 3}x >= ${n - 2 - (n - 3) * (n - 5)}`,
  "slope-and-intercept": (n) =>
    n < 5
      ? `Give slope and intercept of y = ${times(n + 2, "x")} ${plus(alternating(n) * (n + 1))}`
      : n < 9
        ? `Find the slope of the line through (${n - 5}, ${n - 4}) and (${n - 3}, ${3 * n - 10})`
        : `Find the line with slope ${-(n - 7)} through (${n - 8}, ${n})`,
  "systems-of-equations": (n) =>
    n < 6
      ? `Solve y = ${times(n + 1, "x")} and x + y = ${(n + 2) * (n + 1)}`
      : `Solve ${n - 4}x + y = ${(n - 4) * (n - 5) + 2} and x - y = ${n - 7}`,
  factorising: (n) =>
    n < 6
      ? `Factorise ${2 * (n + 2)}x ${plus(alternating(n) * (n + 2) * (n + 3))}`
      : `Factorise x² + ${2 * n - 7}x + ${(n - 4) * (n - 3)}`,
  "quadratic-equations": (n) =>
    n < 5
      ? `Solve x² = ${(n + 2) ** 2}`
      : n < 8
        ? `Solve x² - ${n - 1}x = 0`
        : `Solve x² - ${2 * n - 11}x + ${(n - 6) * (n - 5)} = 0`,
} as const satisfies Record<string, Exercise>;

export type ExercisedSkill = keyof typeof exercises;

/** Told as a story; each needs several skills. */
export const stories: readonly { readonly skillIds: readonly ExercisedSkill[]; readonly tell: Exercise }[] = [
  {
    skillIds: ["two-step-equations", "evaluating-expressions"],
    tell: (n) =>
      `A taxi costs ${n + 3} euros and ${n + 2} euros a kilometre. ${nameAt(n)} paid ${n + 3 + (n + 2) * (n + 4)}: how far was it?`,
  },
  {
    skillIds: ["percentages", "one-step-equations"],
    tell: (n) => `${(n + 2) * 5} % of the pupils of a school are ${(n + 2) * 12}: how many pupils has it?`,
  },
  {
    skillIds: ["systems-of-equations", "one-step-equations"],
    tell: (n) =>
      `${nameAt(n)} and ${nameAt(n + 5)} are ${3 * n + 21} years old together, one is ${n + 3} years older: how old is each?`,
  },
  {
    skillIds: ["slope-and-intercept", "two-step-equations"],
    tell: (n) =>
      `A candle of ${n + 20} cm loses ${n + 2} cm an hour. Write its height as a function of time; when is it ${20 - 3 * n - 4} cm?`,
  },
];
