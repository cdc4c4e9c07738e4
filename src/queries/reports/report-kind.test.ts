import { expect, test } from "vitest";
import { learningHistory } from "../../../test/support/learning-history.ts";
import { memoryTarget } from "../../../test/support/memory-target.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { lrLite } from "../../domain/learner-model/models.ts";
import { reportInputSchema, reportNames } from "./report-input.ts";
import { reportKind } from "./report-kind.ts";

const model = lrLite as LearnerModel;

test.each(reportNames)(
  "%s, cut off at any call and begun again as the log goes on: the report it was going to be",
  async (report) => {
    const history = await learningHistory(11, { model, events: 150, learners: 5 });
    const kind = reportKind({ feed: history.log, model });
    const input = reportInputSchema.parse({ report });
    const whole = memoryTarget();
    const summary = await kind.run(input, whole.begin());
    expect(whole.names()).toContain(`${report}.html`);
    const target = memoryTarget();
    let cuts = 0;
    for (let k = 2; ; k += 1) {
      const run = target.begin(k);
      const done = await kind.run(input, run).then(
        async (found) => {
          await run.flush();
          return found;
        },
        () => null,
      );
      if (done !== null) {
        expect(done).toEqual(summary);
        break;
      }
      cuts += 1;
      await history.grow(3);
    }
    expect(cuts).toBeGreaterThan(3);
    expect(target.names()).toEqual(whole.names());
    for (const name of whole.names()) expect(target.content(name), name).toEqual(whole.content(name));
  },
);
