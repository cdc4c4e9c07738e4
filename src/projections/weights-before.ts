import type { StoredEvent } from "../domain/stored-event.ts";
import type { Context, PublishedWeights } from "./context.ts";

/** The weights that stood before a position: what the event there is folded with, and the list made that ends with it. */
export type WeightsBefore = (position: number) => PublishedWeights;

/** Takes the context through the models published in a batch, so that learners can be folded one after the other. */
export async function goThroughModels(context: Context, models: readonly StoredEvent[]): Promise<WeightsBefore> {
  const published = [{ position: 0, weights: context.current }];
  for (const event of models) {
    await context.advance(event);
    published.push({ position: event.position, weights: context.current });
  }
  return (at) => published.findLast((one) => one.position < at)?.weights ?? context.current;
}
