import { Option } from "commander";
import { type SessionType, sessionTypes } from "../../domain/events.ts";
import type { Explanation } from "../../queries/time-travel/explainer.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, printResult, tableLines } from "./io.ts";
import { examples, wholeNumberOf } from "./options.ts";
import { withEngines } from "./with-engines.ts";

interface ExplainOptions {
  readonly at?: string;
  readonly selection?: string;
  readonly track?: string;
  readonly session?: SessionType;
  readonly count: number;
  readonly json?: boolean;
}

export const addExplain: AddCommand = (program, context) => {
  program
    .command("explain")
    .description("why a learner's list is, or was, as it is: made again from the log, and told step by step")
    .argument("<learner>", "whose")
    .option("--at <time|position>", "as of then; now when left out")
    .option("--selection <id>", "a list that was recorded as served (PROXIMAL_SERVED_SAMPLE)")
    .option("--track <id>", "of this track; the one the learner is in when left out")
    .addOption(new Option("--session <type>", "that of the learner when left out").choices(sessionTypes))
    .option("--count <items>", "items explained", wholeNumberOf(1), 3)
    .option("--json", "print JSON: all candidates, terms and draws")
    .addHelpText(
      "after",
      examples("proximal explain pablo", "proximal explain pablo --at 2026-03-01T08:00:00Z --count 1 --json"),
    )
    .action((learnerId: string, options: ExplainOptions) => explain(context, learnerId, options));
};

async function explain(context: CommandContext, learnerId: string, options: ExplainOptions): Promise<void> {
  const [{ createExplainer }, { NothingToExplain }, { NoSuchPlace }, { learnerModels }, { nextListSize }, logging] =
    await Promise.all([
      import("../../queries/time-travel/explainer.ts"),
      import("../../queries/time-travel/explain.ts"),
      import("../../queries/time-travel/place.ts"),
      import("../../domain/learner-model/models.ts"),
      import("../../projections/rows.ts"),
      import("../observability/logging.ts"),
    ]);
  await withEngines(context, async ({ analysts, blobs }, { model }) => {
    const explainer = createExplainer({
      ...{ store: analysts, feed: analysts, blobs, model: learnerModels[model], log: logging.silentLogger() },
      ...{ clock: { now: Date.now }, listSize: nextListSize, eventsMax: Number.POSITIVE_INFINITY, live: null },
    });
    const { at = null, selection: selectionId = null, track, session, count, json = false } = options;
    try {
      const why = await explainer.explain({ learnerId, at, selectionId, track, session, count });
      printResult(context.io, json, why, () => linesOf(why));
    } catch (error) {
      if (error instanceof NoSuchPlace) throw new CommandFailure(`--at ${at}: ${error.message}`);
      if (error instanceof NothingToExplain) throw new CommandFailure(error.message);
      throw error;
    }
  });
}

const termsShown = 8;
const candidatesShown = 5;
const number = (value: number, digits = 3): string => value.toFixed(digits);

function linesOf(why: Explanation): string[] {
  const { list, at, learner, items, draws, considered } = why;
  const track = list.trackId === null ? "all items" : `track ${list.trackId}`;
  return [
    `${why.learnerId} at position ${at.position}, ${at.time}: ${list.sessionType}, ${track}, ${list.computed}`,
    `policy ${list.policyVersion}${list.arm === null ? "" : `, arm ${list.arm.arm} of ${list.arm.experimentId}`}; model ${list.model} ${list.modelVersion}; knows ${learner.answers} answers, the last at position ${list.position}`,
    `ability ${number(learner.ability, 2)} logits; ${learner.due.length} reviews due${list.stop === null ? "" : `; may stop: ${list.stop.reason}`}`,
    reproducedLine(why),
    "",
    "Skills",
    ...indented(["skill", "status", "mastery", "sd", "answers"], learner.skills, (s) => [
      ...[s.title, s.unproven ? `${s.status}, unproven` : s.status, number(s.mastery), number(s.sd), String(s.answers)],
    ]),
    ...considered.flatMap(({ skillId, target, candidates }) => [
      "",
      `Looked at for ${skillId ?? "no skill"}, aiming at p ${number(target, 2)}`,
      ...indented(["item", "p", "closeness", "refused by"], candidates.slice(0, candidatesShown), (c) => [
        ...[c.itemId, number(c.p), number(c.closeness), c.refused ? c.rules.join(" ") : ""],
      ]),
      ...(candidates.length > candidatesShown ? [`  and ${candidates.length - candidatesShown} more`] : []),
    ]),
    ...draws.flatMap(drawLines),
    ...items.flatMap((item, place) => [
      "",
      `${place + 1}. ${item.itemId} (${item.title ?? "not published"}): ${item.reason.code}${rulesText(item.reason.rules)}, score ${number(item.score)}, propensity ${item.propensity.toPrecision(3)}`,
      `  p ${number(item.prediction.p)} ± ${number(item.prediction.sd)}, logit ${number(item.prediction.logit)}:`,
      ...indented(["feature", "value", "weight", "logits"], strongest(item.prediction.terms), (term) => [
        ...[term.feature, number(term.value), number(term.weight), number(term.contribution)],
      ]),
    ]),
  ];
}

const rulesText = (rules: readonly string[] | undefined): string =>
  rules === undefined || rules.length === 0 ? "" : ` (rules: ${rules.join(", ")})`;

const strongest = (terms: Explanation["items"][number]["prediction"]["terms"]) =>
  terms
    .filter(({ contribution }) => contribution !== 0)
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
    .slice(0, termsShown);

function reproducedLine({ reproduced: { status, selectionId, differences } }: Explanation): string {
  if (status === "not served") return "no list of this moment was recorded as served: nothing to compare with";
  if (status === "exactly") return `reproduced exactly: the list ${selectionId} as it was served`;
  return `the list ${selectionId} as it was served differs: ${differences.join("; ")}`;
}

function drawLines({ seed, rate, places, pool, turns }: Explanation["draws"][number]): string[] {
  const swaps = turns.flatMap(({ coin, drawn }, at) =>
    coin >= rate ? [] : [`place ${places[at]} (coin ${number(coin, 4)}) with rank ${drawn + 1} of ${pool.length}`],
  );
  const first = turns[0] === undefined ? "" : `, first coin ${number(turns[0].coin, 4)}`;
  return [
    "",
    `Random draw, seed ${seed}: each of ${places.length} places swaps at a rate of ${rate}, with any of ${pool.length}${first}`,
    swaps.length === 0 ? "  nothing was swapped" : `  swapped: ${swaps.join("; ")}`,
  ];
}

function indented<T>(head: readonly string[], rows: readonly T[], cells: (row: T) => string[]): string[] {
  return rows.length === 0 ? ["  none"] : tableLines(head, rows.map(cells)).map((line) => `  ${line}`);
}
