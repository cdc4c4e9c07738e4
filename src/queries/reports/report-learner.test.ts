import { expect, test } from "vitest";
import { learningHistory } from "../../../test/support/learning-history.ts";
import { decodeEvent } from "../../domain/decode-event.ts";
import { defaultPolicy } from "../../domain/item-bank/bank.ts";
import { evolveLearner, masteryOf, newLearnerState } from "../../domain/learner/learner-state.ts";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { learnerStream } from "../../domain/streams.ts";
import { countAnswer, type ItemSums, itemStats, newItemSums } from "../../projections/item-stats.ts";
import { foldLog } from "./fold-log.ts";
import { collectItems } from "./items.ts";
import { reportInputSchema } from "./report-input.ts";

const model = learnerModels.elo;

test("a learner of a report is the learner that is served: the same knowledge tracing, first answers and hints", async () => {
  for (const seed of [1, 2, 3]) {
    const { log, learnerIds } = await learningHistory(seed, { model, events: 600 });
    const collector = collectItems();
    const options = { signal: new AbortController().signal, onProgress: () => undefined };
    const context = await foldLog(
      { feed: log, model },
      reportInputSchema.parse({ report: "items" }),
      [collector],
      options,
    );
    const sums = new Map<string, ItemSums>();
    for (const learnerId of learnerIds) {
      const state = newLearnerState(model);
      for (const stored of await log.readStream(learnerStream(learnerId), { from: 1, limit: 10_000 })) {
        const event = decodeEvent(stored);
        if (event.type !== "InteractionRecorded") continue;
        const folding = { model, weights: model.newWeights(), policy: defaultPolicy };
        const { itemId, answer } = evolveLearner(state, event, folding);
        const item = sums.get(itemId) ?? newItemSums();
        sums.set(itemId, item);
        if (answer !== null) countAnswer(item, { ...answer, ability: 0 });
      }
      const reported = context.learners.find(({ id }) => id === learnerId);
      if (state.interactions === 0) expect(reported).toBeUndefined();
      for (const [number, skillId] of (reported?.ids.skills.list ?? []).entries()) {
        const served = masteryOf(state, skillId);
        expect(reported?.mastery[number]).toMatchObject({ traced: served?.traced, n: served?.n });
      }
    }
    const { items } = collector.result(context);
    for (const [itemId, each] of sums) {
      const { attempts, learners, medianDurationMs, hintRate } = itemStats(each);
      const found = items.find((item) => item.itemId === itemId);
      expect(found).toMatchObject({ answers: attempts, learners, medianMs: medianDurationMs, hintShare: hintRate });
    }
  }
});
