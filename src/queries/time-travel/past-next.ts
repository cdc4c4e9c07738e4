import { createNextItems } from "../next-items.ts";
import type { NextRequest } from "../next-request.ts";
import { createPopularReader, type PopularReader } from "../popular.ts";
import type { Past } from "./past.ts";

/** What was next for each of these learners then: JSON, in order. Rejects with TooMuchHistory. */
export async function nextInPast(
  past: Past,
  listSize: number,
  learnerIds: readonly string[],
  request: NextRequest,
): Promise<string[]> {
  const popular = strictly(createPopularReader(past));
  const nextItems = createNextItems({ ...past, popular, listSize, freshnessWaitMs: 0 });
  try {
    const answers = await nextItems.many(learnerIds, request);
    popular.throwIfFailed();
    return answers;
  } finally {
    nextItems.close();
  }
}

/** A live answer does without what is popular where that cannot be read; one about the past would be another than it was. */
function strictly(popular: PopularReader): PopularReader & { throwIfFailed(): void } {
  const failures: unknown[] = [];
  return {
    list: (scope, window) =>
      popular.list(scope, window).catch((error: unknown) => {
        failures.push(error);
        throw error;
      }),
    throwIfFailed() {
      if (failures.length > 0) throw failures[0];
    },
  };
}
