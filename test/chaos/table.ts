import type { Experiment } from "./experiment.ts";
import { availability, availabilityWanted, broken, type ChaosResult, type ExperimentResult } from "./result.ts";

const percent = (share: number): string => `${(100 * share).toFixed(share === 1 ? 0 : 2)} %`;
const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;

const head = [
  "experiment",
  "what was done",
  "seed",
  "for s",
  "reads answered",
  "without the retry",
  "p50 / p99 ms",
  "stale / popular",
  "slowest post s",
  "lost",
  "answers / posts / lag well after s",
  "how it healed",
];

/** `first`: of its experiment, whose words stand in one row alone. */
function rowOf(result: ExperimentResult, first: boolean): string {
  const { reads, posts, healed } = result;
  const problems = broken(result);
  return row([
    first ? `\`${result.name}\`` : "",
    first ? result.what : "",
    result.seed,
    result.faultSeconds.toFixed(1),
    `${percent(availability([result], "failed"))} of ${reads.asked}`,
    percent(availability([result], "failedWithoutRetry")),
    `${reads.p50Ms.toFixed(1)} / ${Math.round(reads.p99Ms)}`,
    `${reads.stale} / ${reads.popular}`,
    posts.slowestSeconds.toFixed(1),
    problems.length === 0 ? `nothing of ${posts.accepted}` : problems.join("; "),
    [healed.answersSeconds, healed.postsSeconds, healed.lagSeconds].map((one) => one.toFixed(1)).join(" / "),
    first ? result.heals : "",
  ]);
}

/** As it is printed, and as docs/chaos.md quotes it: the rounds of an experiment one below the other. */
export function tableOf(results: readonly ExperimentResult[]): string {
  const rounds = Map.groupBy(results, ({ name }) => name);
  const rows = [...rounds.values()].flatMap((same) => same.map((result, at) => rowOf(result, at === 0)));
  return [row(head), `|${head.map(() => "---").join("|")}|`, ...rows].join("\n");
}

/** The sum of it all in two sentences. */
export function summaryOf(results: readonly ExperimentResult[]): string {
  const asked = results.reduce((sum, { reads }) => sum + reads.asked, 0);
  const accepted = results.reduce((sum, { posts }) => sum + posts.accepted, 0);
  const [with1, raw] = [availability(results, "failed"), availability(results, "failedWithoutRetry")];
  const bad = results.filter((result) => broken(result).length > 0).length;
  return (
    `${results.length} experiments: ${percent(with1)} of ${asked} reads were answered within the deadline ` +
    `(objective ${percent(availabilityWanted)}; ${percent(raw)} without the retry), counted from each fault until all was well. ` +
    (bad === 0
      ? `Nothing of ${accepted} accepted interactions was lost or doubled, and after each experiment the rows were those of a rebuild.`
      : `Invariants broke in ${bad} of them.`)
  );
}

/** Which run it was. */
export function aboutRun({ at, command, machine, rates }: ChaosResult): string {
  const commit =
    machine.commit === null ? "" : `, commit ${machine.commit.slice(0, 10)}${machine.dirty ? " and changes" : ""}`;
  return (
    `Saved run of ${at.slice(0, 10)}: \`${command}\`, ${rates.readsPerSecond} reads and ${rates.postsPerSecond} posts a second of ` +
    `${rates.learners} learners, on ${machine.cores} cores of an ${machine.cpu} with all engines, processes and users on it; ` +
    `Node ${machine.node.slice(1)}, PostgreSQL ${machine.postgres}, Redis ${machine.redis}${commit}, load average ${machine.load_average} when it started.`
  );
}

export const listOf = (all: readonly Experiment[]): string =>
  all.map(({ name, what }) => `  ${name.padEnd(18)} ${what}`).join("\n");
