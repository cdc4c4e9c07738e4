import { decideDefineTracks, decideRetireTrack } from "../domain/item-bank/decide-track.ts";
import { decideRetirements } from "../domain/item-bank/decision.ts";
import { trackInputSchema } from "./catalogue-inputs.ts";
import { type CatalogueCommandDeps, type CatalogueOutcome, type CommandContext, handle } from "./handle.ts";
import { inInputOrder, readIds, readInputs } from "./read-inputs.ts";

/**
 * Makes the tracks stand as given ({@link trackInputSchema}): items and skills held, policy, pins and bars. An outcome
 * for each, in input order. Refusals: invalid_track, unknown_skill, unknown_item, contradictory_policy, conflict.
 */
export async function defineTracks(
  deps: CatalogueCommandDeps,
  inputs: readonly unknown[],
  context: CommandContext = {},
): Promise<CatalogueOutcome[]> {
  const { ready, refused } = readInputs(inputs, trackInputSchema, "trackId", "invalid_track");
  const outcomes = await handle(deps, ready, decideDefineTracks, context);
  return inInputOrder(refused, outcomes);
}

/** Refusals: invalid_track, unknown_track, conflict. */
export async function retireTracks(
  deps: CatalogueCommandDeps,
  trackIds: readonly unknown[],
  context: CommandContext = {},
): Promise<CatalogueOutcome[]> {
  const { ready, refused } = readIds(trackIds, "invalid_track");
  const outcomes = await handle(
    deps,
    ready,
    (ids, { tracks }) => decideRetirements(ids, tracks, decideRetireTrack),
    context,
  );
  return inInputOrder(refused, outcomes);
}
