import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import type { Feed } from "../../ports/feed.ts";
import type { ReplayKind, ReplayRun } from "../replays/replay-kind.ts";
import { makeReport, reportCsv, reportHtml } from "./make-report.ts";
import { type ReportInput, reportInputSchema } from "./report-input.ts";

/**
 * A report as a background replay: a page, CSV, JSON and each plot as a file. A run that was cut off counts again, to where the log
 * ended when the first began: what was counted by then is as large as the states of all learners, too much for a checkpoint.
 */
export function reportKind(deps: { readonly feed: Feed; readonly model: LearnerModel }): ReplayKind<ReportInput> {
  return {
    kind: "report",
    input: reportInputSchema,
    operatorsOnly: ({ learners }) => learners,
    async run(input, run) {
      const begun = run.resumeFrom as { readonly to: number } | null;
      const to = begun?.to ?? (await deps.feed.head());
      if (begun === null) await run.checkpoint({ to });
      const { signal } = run;
      const document = await makeReport(deps, input, {
        ...{ to, signal },
        onProgress: (done, total) => run.progress(done, total),
      });
      const { report, plots, result, summary, findings } = document;
      await writeFile(run, `${report}.html`, "text/html; charset=utf-8", reportHtml(document, ""));
      await writeFile(run, `${report}.csv`, "text/csv; charset=utf-8", reportCsv(document));
      await writeFile(run, `${report}.json`, "application/json", `${JSON.stringify(result)}\n`);
      for (const { name, svg } of plots) await writeFile(run, `${name}.svg`, "image/svg+xml", svg);
      return { report, ...summary, findings: findings.slice(0, 20) };
    },
  };
}

async function writeFile(run: ReplayRun, name: string, mediaType: string, text: string): Promise<void> {
  run.signal.throwIfAborted();
  const file = await run.openFile(name, mediaType);
  await file.write(text);
  await file.close();
}
