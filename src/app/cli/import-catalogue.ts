import type { CatalogueCommandDeps, CatalogueOutcome } from "../../commands/handle.ts";
import type { CommandContext } from "./context.ts";
import { type CatalogueRow, catalogueRows } from "./import/catalogue-rows.ts";
import { openRefusals } from "./import/refusals.ts";
import { type FileFormat, openSourceFile } from "./import/source-file.ts";
import { CommandFailure, count, exitCodes, printResult } from "./io.ts";
import { withCatalogue } from "./with-catalogue.ts";

export interface ImportCatalogueOptions {
  readonly format?: FileFormat;
  readonly refused?: string;
  readonly json?: boolean;
}

export type CatalogueKind = "items" | "skills" | "tracks";

/** Rows sent together. Skills go all at once: they may ask for one another in any order. */
const rowsAtOnce: Readonly<Record<CatalogueKind, number>> = { items: 1000, skills: 100_000, tracks: 100 };

/** Publishes what a file holds; a repeat finds everything unchanged. */
export function importCatalogue(
  context: CommandContext,
  kind: CatalogueKind,
  name: string,
  options: ImportCatalogueOptions,
): Promise<void> {
  const { io } = context;
  return withCatalogue(context, async ({ commands, config }) => {
    const file = await openSourceFile(io, name, options.format);
    const refusals = await openRefusals(options.refused, false);
    try {
      const counts: Record<CatalogueOutcome["status"], number> = emptyCounts();
      const send = async (rows: readonly CatalogueRow[]): Promise<void> => {
        for (const outcome of await publish(kind, commands, rows)) {
          counts[outcome.status] += 1;
          const row = rows[outcome.index];
          if (outcome.status !== "refused" || row === undefined) continue;
          const { line } = row;
          refusals.add({ line, row: line, id: outcome.id, problem: row.problem ?? outcome.problem.detail });
        }
      };
      let rows: CatalogueRow[] = [];
      for await (const row of catalogueRows(file, config.lineLimitBytes)) {
        if (io.signal.aborted) throw new CommandFailure("stopped; run it again to go on, what is published stays");
        rows.push(row);
        if (rows.length < rowsAtOnce[kind]) continue;
        await send(rows);
        rows = [];
      }
      if (rows.length > 0) await send(rows);
      const { refused, ...stored } = counts;
      printResult(io, options.json === true, { file: file.name, ...stored, refused, refusals: refusals.first }, () => [
        `${file.name}: ${count(stored.published)} ${kind} published, ${count(stored.revised)} revised, ${count(stored.unchanged)} unchanged, ${count(refused)} refused`,
        ...refusals.lines(refused),
      ]);
      if (refused > 0) context.exit(exitCodes.partlyRefused);
    } finally {
      await refusals.close();
      await file.close();
    }
  });
}

async function publish(
  kind: CatalogueKind,
  deps: CatalogueCommandDeps,
  rows: readonly CatalogueRow[],
): Promise<CatalogueOutcome[]> {
  const inputs = rows.map(({ input }) => input);
  if (kind === "items") return (await import("../../commands/publish-items.ts")).publishItems(deps, inputs);
  if (kind === "skills") return (await import("../../commands/define-skills.ts")).defineSkills(deps, inputs);
  return (await import("../../commands/define-tracks.ts")).defineTracks(deps, inputs);
}

const emptyCounts = () => ({ published: 0, revised: 0, unchanged: 0, retired: 0, refused: 0 });
