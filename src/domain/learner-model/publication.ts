/** A first version soon, and then one for each so many answers at the least. */
const leastNewAnswers = 100;
/** Or this share of all answers so far: weights change ever more slowly, and the number of versions grows with the logarithm. */
const newShare = 0.02;

/**
 * Whether weights trained on so many answers are to be published, when the last published ones were trained on
 * `publishedAnswers` (0 for none). A function of the answers alone: whoever trains on a log publishes at the same ones.
 */
export function isPublicationDue(answers: number, publishedAnswers: number): boolean {
  return answers - publishedAnswers >= Math.max(leastNewAnswers, newShare * answers);
}
