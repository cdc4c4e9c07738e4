/**
 * The skills of a question in one fixed order, each once. Sums of floating-point numbers depend on their order, and
 * two producers may name an item's skills in different orders: the prediction must be the same to the last bit.
 */
export function skillSet(skillIds: readonly string[]): readonly string[] {
  for (let k = 1; k < skillIds.length; k++) {
    if ((skillIds[k - 1] as string) >= (skillIds[k] as string)) return [...new Set(skillIds)].sort();
  }
  return skillIds;
}
