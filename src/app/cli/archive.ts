import { InvalidArgumentError } from "commander";
import { type ArchiveBefore, type ArchivedNow, archiveEvents } from "../../commands/archive-events.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, count, printResult } from "./io.ts";
import { durationOf, examples } from "./options.ts";
import { startProgress } from "./progress.ts";
import { withEngines } from "./with-engines.ts";

export const addArchive: AddCommand = (program, context) => {
  program
    .command("archive")
    .description("move old segments of a log in PostgreSQL to files (PROXIMAL_ARCHIVE), which are read as before")
    .requiredOption("--before <position|time|age>", "like 5000000, 2026-01-01, or 90d", beforeOf)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `\nOnly whole segments are moved. Every process of the deployment has to see the folder: docs/retention.md\n${examples(
        "PROXIMAL_ARCHIVE=/srv/proximal-archive proximal archive --before 365d",
        "proximal archive --before 2026-01-01 --json",
      )}`,
    )
    .action((options: ArchiveOptions) => archive(context, options));
};

interface ArchiveOptions {
  readonly before: ArchiveBefore;
  readonly json?: boolean;
}

function beforeOf(text: string): ArchiveBefore {
  if (/^\d{1,15}$/.test(text)) return { position: Number(text) };
  if (/^\d{1,9}[smhd]$/.test(text)) return { time: new Date(Date.now() - durationOf(text)).toISOString() };
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(Date.parse(text))) {
    throw new InvalidArgumentError("a position, a time like 2026-01-01 or 2026-01-01T12:00:00Z, or an age like 90d");
  }
  return { time: new Date(text).toISOString() };
}

function archive(context: CommandContext, { before, json = false }: ArchiveOptions): Promise<void> {
  const { io } = context;
  return withEngines(context, async ({ feed, postgres }, config) => {
    // The engines are heavy to load; `--help` does without.
    const [{ archiveOf }, { createPostgresSegments }] = await Promise.all([
      import("../compose.ts"),
      import("../../adapters/event-store/postgres/segments.ts"),
    ]);
    if (postgres === null || config.eventStoreDbUrl !== undefined) {
      throw new CommandFailure("only a log in PostgreSQL (DATABASE_URL) is archived");
    }
    const folder = archiveOf(config);
    if (folder === null) throw new CommandFailure("where to? Set PROXIMAL_ARCHIVE to a folder all processes see");
    const progress = startProgress(io, "events", await feed.head());
    try {
      const deps = { log: createPostgresSegments(postgres), archive: folder };
      const moved = await archiveEvents(deps, before, { signal: io.signal, onEvents: progress.update });
      progress.stop();
      printResult(io, json, { moved }, () => sentencesOf(moved));
    } finally {
      progress.stop();
    }
  });
}

function sentencesOf(moved: readonly ArchivedNow[]): string[] {
  if (moved.length === 0) return ["no segment is that old: nothing was moved"];
  return moved.map(
    ({ first, last, name }) => `positions ${count(first)} to ${count(last)} are in ${name}.ndjson.gz now`,
  );
}
