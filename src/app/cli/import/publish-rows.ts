import type { CatalogueCommandDeps, CatalogueOutcome } from "../../../commands/handle.ts";
import type { Item, Skill } from "../../../domain/item-bank/catalogue.ts";
import { isJsonObject } from "../../../domain/json-object.ts";
import type { CatalogueInput, CatalogueRow } from "./catalogue-rows.ts";
import type { RefusedRow } from "./import-rows.ts";

export type CatalogueKind = "items" | "skills" | "tracks";

export interface PublishRowsDeps {
  readonly commands: CatalogueCommandDeps;
  readonly onRefused: (row: RefusedRow) => void;
  readonly onProgress: (done: number) => void;
  readonly signal: AbortSignal;
}

export interface PublishRowsOptions {
  readonly kind: CatalogueKind;
  /** Put into each entry that names none. */
  readonly source: string | null;
  /** Retires the entries of `source` that the rows do not hold. */
  readonly retireMissing: boolean;
}

export interface Published {
  readonly counts: Record<CatalogueOutcome["status"], number>;
  /** Elements left out, by reason. */
  readonly leftOut: Map<string, { count: number; readonly first: string }>;
  /** False where the signal came first. */
  readonly ended: boolean;
  /** Whether `retireMissing` was asked for, and not done because something was refused. */
  readonly keptMissing: boolean;
}

/** Rows sent together. Skills go all at once: they may ask for one another in any order. */
const rowsAtOnce: Readonly<Record<CatalogueKind, number>> = { items: 1000, skills: 100_000, tracks: 100 };

/** Publishes rows in batches. A row that cannot be read or is refused is told of, and loses no other. */
export async function publishRows(
  deps: PublishRowsDeps,
  rows: AsyncIterable<CatalogueRow>,
  options: PublishRowsOptions,
): Promise<Published> {
  const counts: Published["counts"] = { published: 0, revised: 0, unchanged: 0, retired: 0, refused: 0 };
  const leftOut: Published["leftOut"] = new Map();
  const given = new Set<string>();
  let batch: CatalogueInput[] = [];
  let done = 0;
  const refuse = (row: RefusedRow): void => {
    counts.refused += 1;
    deps.onRefused(row);
  };
  const send = async (): Promise<void> => {
    const full = batch;
    batch = [];
    for (const outcome of await publish(options.kind, deps.commands, full, options.source)) {
      if (outcome.status === "refused") refuse({ ...full[outcome.index]?.at, ...reasonOf(outcome) } as RefusedRow);
      else counts[outcome.status] += 1;
      if (options.retireMissing && outcome.id !== null) given.add(outcome.id);
    }
    deps.onProgress(done);
  };
  for await (const row of rows) {
    if (deps.signal.aborted) return { counts, leftOut, ended: false, keptMissing: false };
    done += 1;
    if (row.kind === "refused") refuse({ ...row.at, id: row.id, problem: row.problem });
    else if (row.kind === "leftOut") note(leftOut, row.reason, `${row.at.file}:${row.at.line}`);
    else batch.push(row);
    if (batch.length >= rowsAtOnce[options.kind]) await send();
  }
  if (batch.length > 0) await send();
  const keptMissing = options.retireMissing && counts.refused > 0;
  if (options.retireMissing && !keptMissing) counts.retired += await retireMissing(deps.commands, options, given);
  return { counts, leftOut, ended: true, keptMissing };
}

function reasonOf(outcome: Extract<CatalogueOutcome, { status: "refused" }>) {
  return { id: outcome.id, problem: outcome.problem.detail };
}

/** Reasons that differ in a name only would fill the screen: at most so many are told apart. */
const reasonsMax = 100;

function note(leftOut: Published["leftOut"], reason: string, first: string): void {
  const known = leftOut.get(reason) ?? (leftOut.size >= reasonsMax ? leftOut.get("other reasons") : undefined);
  if (known !== undefined) known.count += 1;
  else leftOut.set(leftOut.size >= reasonsMax ? "other reasons" : reason, { count: 1, first });
}

async function publish(
  kind: CatalogueKind,
  deps: CatalogueCommandDeps,
  rows: readonly CatalogueInput[],
  source: string | null,
): Promise<CatalogueOutcome[]> {
  const inputs = rows.map(({ input }) => (source !== null && kind !== "tracks" ? withSource(input, source) : input));
  if (kind === "items") return (await import("../../../commands/publish-items.ts")).publishItems(deps, inputs);
  if (kind === "skills") return (await import("../../../commands/define-skills.ts")).defineSkills(deps, inputs);
  return (await import("../../../commands/define-tracks.ts")).defineTracks(deps, inputs);
}

function withSource(input: unknown, source: string): unknown {
  return isJsonObject(input) ? { source, ...input } : input;
}

/** Gives how many were retired. */
async function retireMissing(
  deps: CatalogueCommandDeps,
  { kind, source }: PublishRowsOptions,
  given: ReadonlySet<string>,
): Promise<number> {
  const { items, skills } = deps.catalogue.catalogue;
  const entries: ReadonlyMap<string, Item | Skill> = kind === "items" ? items : skills;
  const gone = Array.from(entries).flatMap(([id, entry]) =>
    entry.source === source && !entry.retired && !given.has(id) ? [id] : [],
  );
  if (gone.length === 0) return 0;
  const outcomes =
    kind === "items"
      ? await (await import("../../../commands/publish-items.ts")).retireItems(deps, gone)
      : await (await import("../../../commands/define-skills.ts")).retireSkills(deps, gone);
  return outcomes.filter(({ status }) => status === "retired").length;
}
