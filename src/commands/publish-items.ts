import { decidePublishItems, decideRetireItem } from "../domain/item-bank/decide-item.ts";
import { decideRetirements } from "../domain/item-bank/decision.ts";
import { itemInputSchema } from "./catalogue-inputs.ts";
import { type CatalogueCommandDeps, type CatalogueOutcome, type CommandContext, handle } from "./handle.ts";
import { inInputOrder, readIds, readInputs } from "./read-inputs.ts";

/**
 * Makes the items stand as given: publishes new and retired ones, revises those that differ ({@link itemInputSchema}).
 * An outcome for each, in input order; a bad one loses no other. Refusals: invalid_item, unknown_skill, conflict.
 */
export async function publishItems(
  deps: CatalogueCommandDeps,
  inputs: readonly unknown[],
  context: CommandContext = {},
): Promise<CatalogueOutcome[]> {
  const { ready, refused } = readInputs(inputs, itemInputSchema, "itemId", "invalid_item");
  const outcomes = await handle(
    deps,
    ready,
    (asked, { items, skills }) => decidePublishItems(asked, items, skills),
    context,
  );
  return inInputOrder(refused, outcomes);
}

/** Takes items out of every list. Refusals: invalid_item, unknown_item, conflict. */
export async function retireItems(
  deps: CatalogueCommandDeps,
  itemIds: readonly unknown[],
  context: CommandContext = {},
): Promise<CatalogueOutcome[]> {
  const { ready, refused } = readIds(itemIds, "invalid_item");
  const outcomes = await handle(
    deps,
    ready,
    (ids, { items }) => decideRetirements(ids, items, decideRetireItem),
    context,
  );
  return inInputOrder(refused, outcomes);
}
