import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels } from "../ports/read-models.ts";
import type { RebuildProgress, Rebuilt } from "../projections/rebuild.ts";
import { readRebuild, writeRebuild } from "./operator-rows.ts";
import { newReport, type RebuildReport, reportOf } from "./projector-operations.ts";

export interface ReportedRebuild {
  readonly readModels: ReadModels;
  readonly clock: Clock;
  readonly log: Log;
  readonly name: string;
  readonly rollback: boolean;
  /** The row of the report as it was read: whoever wrote since does it instead. Left out: this one begins whatever stands there. */
  readonly version?: number;
}

const beatMs = 1_000;
const lastWordAttempts = 5;

/**
 * Does a rebuild and says each second, where every process can read it, how far it is and what came of it. Null where another process
 * took it up first. That a report cannot be written stops no rebuild. Rejects as `work` does.
 */
export async function reportedRebuild(
  { readModels, clock, log, name, rollback, version: given }: ReportedRebuild,
  work: (onProgress: (progress: RebuildProgress) => void) => Promise<Rebuilt>,
): Promise<Rebuilt | null> {
  const now = (): string => new Date(clock.now()).toISOString();
  let report = newReport(name, "running", now());
  const stored = () => ({ report, rollback, heardAt: now() });
  let version = given ?? (await readRebuild(readModels)).version;
  if (!(await writeRebuild(readModels, stored(), version)) && given !== undefined) return null;
  version += 1;

  /** False once somebody else's rebuild is told of there. */
  async function tell(): Promise<boolean> {
    if (await writeRebuild(readModels, stored(), version)) {
      version += 1;
      return true;
    }
    // Lost with the engine's rows: it is put back.
    if ((await readRebuild(readModels)).version !== 0 || !(await writeRebuild(readModels, stored(), 0))) return false;
    version = 1;
    return true;
  }

  let telling: Promise<unknown> = Promise.resolve();
  let overtaken = false;
  const beat = async (): Promise<void> => {
    overtaken ||= !(await tell());
  };
  const timer = setInterval(() => {
    telling = telling.then(() => (overtaken ? undefined : beat())).catch(() => undefined);
  }, beatMs);

  async function lastWord(news: Partial<RebuildReport>): Promise<void> {
    clearInterval(timer);
    await telling;
    report = { ...report, ...news, finishedAt: now() };
    for (let attempt = 1; !overtaken; attempt += 1) {
      try {
        return await beat();
      } catch (err) {
        if (attempt === lastWordAttempts) return log.warn({ err }, "could not write what came of a rebuild");
        await sleep(beatMs);
      }
    }
  }

  try {
    const rebuilt = await work(({ events, position }) => {
      report = { ...report, events, position };
    });
    await lastWord({ status: "done", ...reportOf(rebuilt) });
    return rebuilt;
  } catch (error) {
    await lastWord({ status: "failed", error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}
