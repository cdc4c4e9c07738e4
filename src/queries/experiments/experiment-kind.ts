import { z } from "zod";
import { idSchema } from "../../domain/events.ts";
import { type ReplayKind, ReplayRefused } from "../replays/replay-kind.ts";
import { experimentsInLog } from "./experiments-in-log.ts";
import { type ExperimentResultsDeps, experimentResults } from "./results.ts";
import { resultsJson } from "./results-text.ts";

const inputSchema = z.strictObject({ experiment: idSchema.describe("Its id") });

export interface ExperimentKindDeps extends Omit<ExperimentResultsDeps, "store"> {
  readonly eventStore: ExperimentResultsDeps["store"];
}

/** What came of an experiment, of however many events, as a background replay; one that was cut off begins again. */
export function experimentKind(deps: ExperimentKindDeps): ReplayKind<z.infer<typeof inputSchema>> {
  return {
    kind: "experiment",
    input: inputSchema,
    async run({ experiment: id }, run) {
      const experiment = (await experimentsInLog(deps.feed)).find(({ experimentId }) => experimentId === id);
      if (experiment === undefined) throw new ReplayRefused(`there is no experiment ${id}`);
      const { signal } = run;
      const onProgress = (events: number): void => run.progress(events, null);
      const results = await experimentResults({ ...deps, store: deps.eventStore }, experiment, { signal, onProgress });
      const file = await run.openFile("results.json", "application/json");
      await file.write(`${JSON.stringify(resultsJson(results))}\n`);
      await file.close();
      const { learners, moved, warnings } = results;
      return { learners, moved, warnings };
    },
  };
}
