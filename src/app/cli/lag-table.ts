import { stripVTControlCharacters, styleText } from "node:util";
import type { LagReply } from "../../http/routes/lag.ts";
import { count, tableLines } from "./io.ts";

type Projection = LagReply["projections"][number];

/** What was behind lately, by projection and partition: the oldest first. */
export interface LagHistory {
  add(reply: LagReply): void;
  /** Of the newest so many looks. */
  sparkline(projection: Projection, looks: number): string;
}

const bars = "▁▂▃▄▅▆▇█";

/** Heights are shares of the largest; what is not zero is never at the bottom. */
export function sparklineOf(values: readonly number[]): string {
  const most = Math.max(...values);
  const top = bars.length - 1;
  return values.map((value) => bars[value === 0 ? 0 : Math.max(1, Math.round((value / most) * top))]).join("");
}

const keyOf = ({ projection, partition }: Projection): string => `${projection}/${partition}`;

/** `looksMax` bounds what is kept of each. */
export function createLagHistory(looksMax: number): LagHistory {
  const values = new Map<string, number[]>();
  return {
    add({ projections }) {
      for (const one of projections) {
        const kept = values.get(keyOf(one)) ?? [];
        kept.push(one.behindEvents);
        values.set(keyOf(one), kept.slice(-looksMax));
      }
    },
    sparkline: (one, looks) => sparklineOf((values.get(keyOf(one)) ?? []).slice(-looks)),
  };
}

const unknown = "-";
const rate = (perSecond: number | null): string => (perSecond === null ? unknown : count(perSecond));

/** 0.4 -> "0.4 s", 90 -> "90 s", 600 -> "10 min", 86400 -> "24 h". */
export function durationText(seconds: number | null): string {
  if (seconds === null) return unknown;
  if (seconds < 120) return `${count(seconds)} s`;
  if (seconds < 7_200) return `${count(seconds / 60)} min`;
  return seconds < 172_800 ? `${count(seconds / 3_600)} h` : `${count(seconds / 86_400)} days`;
}

export interface TableOptions {
  /** Shown as a last column. */
  readonly history?: LagHistory | undefined;
  readonly looks?: number;
  readonly colours?: boolean;
}

export function lagTable(reply: LagReply, options: TableOptions = {}): string[] {
  return [
    ...projectionLines(reply, options),
    ...queueLines(reply),
    ...freshnessLines(reply),
    "",
    `log: ${count(reply.head)}`,
    ...(reply.unreadable.length === 0 ? [] : [`not readable now: ${reply.unreadable.join(", ")}`]),
  ];
}

function projectionLines({ projections }: LagReply, { history, looks = 30, colours = false }: TableOptions): string[] {
  const header = ["projection", "partition", "position", "events behind", "seconds behind"];
  const rows = projections.map((one) => [
    ...[one.projection, one.partition, one.position, one.behindEvents, Math.round(one.behindSeconds * 10) / 10],
    ...[rate(one.rateIn), rate(one.rateOut), durationText(one.secondsToDrain), one.state],
    ...(history === undefined ? [] : [history.sparkline(one, looks)]),
  ]);
  const lines = tableLines(
    [...header, "in/s", "out/s", "drains in", "state", ...(history === undefined ? [] : ["events behind lately"])],
    rows,
  );
  return lines.map((line, at) => (colours && at > 0 ? coloured(line, projections[at - 1] as Projection) : line));
}

/** Only the state's word: a table of colours is hard to read. */
function coloured(line: string, { state }: Projection): string {
  const colour = state === "stopped" || state === "stale" ? "red" : state === "growing" ? "yellow" : null;
  return colour === null ? line : line.replace(state, styleText(colour, state, { validateStream: false }));
}

function queueLines({ queues }: LagReply): string[] {
  if (queues.length === 0) return [];
  const header = ["queue", "backlog", "waiting", "delayed", "active", "failed", "oldest waits", "done/s", "failed/s"];
  const rows = queues.map((one) => [
    ...[one.paused ? `${one.queue} (paused)` : one.queue, one.backlog, one.waiting + one.prioritized, one.delayed],
    ...[one.active, one.failed, durationText(one.oldestWaitingSeconds)],
    ...[rate(one.completedPerSecond), rate(one.failedPerSecond)],
  ]);
  return ["", ...tableLines(header, rows)];
}

function freshnessLines({ freshness }: LagReply): string[] {
  if (freshness === null) return [];
  const { objective, withinSeconds, good, total, burnRate, budgetLeft, periodDays } = freshness;
  const wanted = `objective ${percent(objective)} in ${periodDays} days`;
  if (total === 0) return ["", `visible within ${durationText(withinSeconds)}: no answers yet; ${wanted}`];
  const burning = burnRate === null ? "no answers in the last hour" : `burning at ${count(burnRate)}x in the last hour`;
  return [
    "",
    `visible within ${durationText(withinSeconds)}: ${percent(good / total)} of ${count(total)} answers; ${wanted}, ${percent(budgetLeft)} of the error budget left, ${burning}`,
  ];
}

/** .99 -> "99 %", .99954 -> "99.954 %": never rounded up to all. */
function percent(share: number): string {
  return `${Math.floor(share * 100_000) / 1_000} %`;
}

/** Cut to a terminal so wide: a line that wraps cannot be redrawn in its place. */
export function cutTo(columns: number, line: string): string {
  return stripVTControlCharacters(line).length <= columns ? line : stripVTControlCharacters(line).slice(0, columns);
}
