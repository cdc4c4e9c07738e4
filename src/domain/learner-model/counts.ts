/**
 * Wins and attempts of a learner on one item in one small integer: a learner has hundreds of items, the trainer
 * hundreds of thousands of learners, and an object for each pair would cost twice the memory. Both stop counting at
 * 32,767, where a further answer would move log1p by less than 1/32,768.
 */
const shift = 15;
const most = (1 << shift) - 1;

export const noCounts = 0;
export const winsOf = (counts: number): number => counts & most;
export const attemptsOf = (counts: number): number => counts >>> shift;
export const packCounts = (wins: number, attempts: number): number =>
  (Math.min(attempts, most) << shift) | Math.min(wins, most);

export function countAnswer(counts: number, correct: boolean): number {
  return packCounts(winsOf(counts) + (correct ? 1 : 0), attemptsOf(counts) + 1);
}
