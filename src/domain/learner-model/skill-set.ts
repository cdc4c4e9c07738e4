/**
 * The skills of a question in one fixed order, each once. Sums of floating-point numbers depend on their order, and
 * two producers may name an item's skills in different orders: the prediction must be the same to the last bit.
 */
export function skillSet(skillIds: readonly string[]): readonly string[] {
  if (skillIds.length < 2) return skillIds;
  return [...new Set(skillIds)].sort();
}
