import { decideRetireSkill, decideSkills } from "../domain/item-bank/decide-skill.ts";
import { decideRetirements } from "../domain/item-bank/decision.ts";
import { skillInputSchema } from "./catalogue-inputs.ts";
import { type CatalogueCommandDeps, type CatalogueOutcome, type CommandContext, handle } from "./handle.ts";
import { inInputOrder, readIds, readInputs } from "./read-inputs.ts";

/**
 * Makes the skills stand as given ({@link skillInputSchema}). Those sent together may ask for one another, in any
 * order. An outcome for each, in input order. Refusals: invalid_skill, unknown_skill, skill_cycle (its detail names
 * the cycle), conflict.
 */
export async function defineSkills(
  deps: CatalogueCommandDeps,
  inputs: readonly unknown[],
  context: CommandContext = {},
): Promise<CatalogueOutcome[]> {
  const { ready, refused } = readInputs(inputs, skillInputSchema, "skillId", "invalid_skill");
  const outcomes = await handle(deps, ready, (asked, { skills }) => decideSkills(asked, skills), context);
  return inInputOrder(refused, outcomes);
}

/**
 * Skills no longer taught: their items go on without them, and skills that asked for them ask for their prerequisites
 * instead. Refusals: invalid_skill, unknown_skill, conflict.
 */
export async function retireSkills(
  deps: CatalogueCommandDeps,
  skillIds: readonly unknown[],
  context: CommandContext = {},
): Promise<CatalogueOutcome[]> {
  const { ready, refused } = readIds(skillIds, "invalid_skill");
  const outcomes = await handle(
    deps,
    ready,
    (ids, { skills }) => decideRetirements(ids, skills, decideRetireSkill),
    context,
  );
  return inInputOrder(refused, outcomes);
}
