import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import type { Feed } from "../../ports/feed.ts";
import { csvCell } from "../csv-cell.ts";
import { htmlPage, type Section } from "../plots/html-page.ts";
import { collectDropOuts } from "./drop-outs.ts";
import { dropOutsPage } from "./drop-outs-page.ts";
import { type Collector, type FoldLogOptions, foldLog, type ReportContext } from "./fold-log.ts";
import { collectFunnel } from "./funnel.ts";
import { funnelPage } from "./funnel-page.ts";
import { collectItems } from "./items.ts";
import { itemsPage } from "./items-page.ts";
import { collectLearningCurves } from "./learning-curves.ts";
import { learningCurvesPage } from "./learning-curves-page.ts";
import { findingsBlock, type ReportDocument, scopeText, whole } from "./report-document.ts";
import type { ReportInput, ReportName } from "./report-input.ts";

type SingleReport = Exclude<ReportName, "overview">;

/** A report that has counted the log and can be put into words. */
interface Counted extends Collector {
  page(context: ReportContext): ReportDocument;
}

/** In the order of the overview. */
const reports: Readonly<Record<SingleReport, () => Counted>> = {
  funnel: () => counted(collectFunnel(), funnelPage),
  "learning-curves": () => counted(collectLearningCurves(), learningCurvesPage),
  items: () => counted(collectItems(), itemsPage),
  "drop-outs": () => counted(collectDropOuts(), dropOutsPage),
};

function counted<R>(
  collector: Collector & { result(context: ReportContext): R },
  page: (result: R, context: ReportContext) => ReportDocument,
): Counted {
  return {
    ...collector,
    page: (context) => page(collector.result(context), context),
  };
}

/** Goes over the log once and makes the report. Throws what {@link foldLog} throws. */
export async function makeReport(
  deps: { readonly feed: Feed; readonly model: LearnerModel },
  input: ReportInput,
  options: FoldLogOptions,
): Promise<ReportDocument> {
  const names = input.report === "overview" ? (Object.keys(reports) as SingleReport[]) : [input.report];
  const wanted = names.map((name) => reports[name]());
  const context = await foldLog(deps, input, wanted, options);
  const documents = wanted.map((each) => each.page(context));
  return input.report === "overview" ? overview(documents, context) : (documents[0] as ReportDocument);
}

function overview(documents: readonly ReportDocument[], context: ReportContext): ReportDocument {
  const findings = documents.flatMap((document) => document.findings);
  const rows = documents.flatMap(({ title, findings: of }) =>
    of.map(({ what, todo, tone }) => [title, tone, what, todo]),
  );
  const columns = ["report", "tone", "what", "what_to_do"];
  return {
    report: "overview",
    title: "Overview",
    about: `${scopeText(context)} ${whole(context.learners.length)} learners.`,
    findings,
    sections: documents.flatMap(asPart),
    plots: documents.flatMap(({ plots }) => plots),
    table: { columns, rows },
    shortTable: {
      columns: ["report", "what", "what to do"],
      rows: rows.map(([report, , what, todo]) => [report ?? "", what ?? "", todo ?? ""]),
    },
    summary: Object.fromEntries(
      documents.flatMap(({ report, summary }) =>
        Object.entries(summary).map(([key, value]) => [`${report}.${key}`, value]),
      ),
    ),
    result: Object.fromEntries(documents.map(({ report, result }) => [report, result])),
  };
}

/** A report as a part of the overview: one entry of the contents, its own sections below. */
function asPart({ report, title, about, sections }: ReportDocument): Section[] {
  const [first, ...others] = sections;
  return [
    { title, id: report, blocks: [{ kind: "text", text: about, soft: true }, ...(first?.blocks ?? [])] },
    ...others.map((section) => ({ ...section, title: `${title}: ${section.title?.toLowerCase() ?? ""}` })),
  ];
}

/** The document as a page that needs nothing but itself. */
export function reportHtml({ title, about, findings, sections }: ReportDocument, of: string): string {
  return htmlPage({
    title: of === "" ? title : `${title}: ${of}`,
    sections: [{ blocks: [{ kind: "text", text: about, soft: true }, findingsBlock(findings)] }, ...sections],
  });
}

/** With a header. What a spreadsheet would run as a formula is made text: titles come from outside. */
export function reportCsv({ table }: ReportDocument): string {
  const line = (cells: readonly (string | number | null)[]): string => `${cells.map(safeCell).join(",")}\n`;
  return line(table.columns) + table.rows.map(line).join("");
}

const safeCell = (cell: string | number | null): string =>
  csvCell(typeof cell === "string" && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);
