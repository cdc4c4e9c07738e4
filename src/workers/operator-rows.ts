import type { GuardedWrite, ReadModels, Row } from "../ports/read-models.ts";
import { TooManyRetries } from "../projections/parking.ts";
import { fromBytes, toBytes } from "../projections/row-json.ts";
import { rebuildKey, retriesKey } from "../projections/rows.ts";
import type { RebuildReport } from "./projector-operations.ts";

// What operators ask of one process and another does, as rows beside the read models: every process that has to do with rows can read
// and write them, and is told of a change. They may be lost with Redis: then somebody asks again.

const retriesMax = 100;
const attemptsMax = 20;

/** Asks whoever projects this learner to try again. Rejects with {@link TooManyRetries}. */
export function askRetry(readModels: ReadModels, learnerId: string, at: string): Promise<void> {
  return change(readModels, retriesKey, ({ fields }) => {
    if (fields.has(learnerId)) return null;
    if (fields.size >= retriesMax) throw new TooManyRetries(`${retriesMax} retries wait already`);
    return { set: new Map([[learnerId, toBytes(at)]]) };
  });
}

/** Of whom it is asked that they be tried again. */
export async function askedRetries(readModels: ReadModels): Promise<string[]> {
  const [row] = await readModels.read([retriesKey]);
  return [...(row?.fields.keys() ?? [])];
}

/** It was done, or nobody waits for it any more. */
export function dropRetry(readModels: ReadModels, learnerId: string): Promise<void> {
  return change(readModels, retriesKey, ({ fields }) =>
    fields.has(learnerId) ? { set: new Map(), remove: [learnerId] } : null,
  );
}

/** `edit` says what to write into the row as it stands; null: nothing. */
async function change(
  readModels: ReadModels,
  key: string,
  edit: (row: Row) => Pick<GuardedWrite, "set" | "remove"> | null,
): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const [row] = await readModels.read([key]);
    const version = row?.version ?? 0;
    const edited = edit(row ?? { version, fields: new Map() });
    if (edited === null) return;
    const [outcome] = await readModels.write([{ key, from: version, to: version + 1, ...edited }]);
    if (outcome?.status === "written") return;
  }
  throw new Error(`others changed the row ${key} ${attemptsMax} times`);
}

/** The rebuild that is asked for, runs, or was the last. */
export interface StoredRebuild {
  readonly report: RebuildReport;
  readonly rollback: boolean;
  /** When whoever asked or does it wrote last, ISO 8601. */
  readonly heardAt: string;
}

const reportField = "report";

/** `version`: 0 where none was ever asked for, or the row was lost. */
export async function readRebuild(
  readModels: ReadModels,
): Promise<{ readonly stored: StoredRebuild | null; readonly version: number }> {
  const [row] = await readModels.read([rebuildKey]);
  const bytes = row?.fields.get(reportField);
  return { stored: bytes === undefined ? null : (fromBytes(bytes) as StoredRebuild), version: row?.version ?? 0 };
}

/** False where somebody else wrote since `version` was read. */
export async function writeRebuild(readModels: ReadModels, stored: StoredRebuild, version: number): Promise<boolean> {
  const set = new Map([[reportField, toBytes(stored)]]);
  const [outcome] = await readModels.write([{ key: rebuildKey, from: version, to: version + 1, set }]);
  return outcome?.status === "written";
}

/** Who does a rebuild writes each second. Clocks of machines may differ. */
const silentMs = 30_000;

/** What to tell of it: whoever was to do it, or did it, may be gone. */
export function reportNow({ report, heardAt }: StoredRebuild, nowMs: number): RebuildReport {
  const silent = nowMs - Date.parse(heardAt) > silentMs;
  if (!silent || (report.status !== "waiting" && report.status !== "running")) return report;
  const error =
    report.status === "waiting"
      ? "no process took it up: those of the roles jobs and projector do"
      : "the process that did it has not been heard of for 30 s: what it made is not used";
  return { ...report, status: "failed", finishedAt: heardAt, error };
}
