import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, printResult } from "./io.ts";
import { examples } from "./options.ts";

export const addMigrate: AddCommand = (program, context) => {
  program
    .command("migrate")
    .description("bring the database of DATABASE_URL up to this version, and end; every start does so too")
    .option("--json", "print JSON")
    .addHelpText("after", examples("DATABASE_DIRECT_URL=postgres://... proximal migrate"))
    .action((options: { json?: boolean }) => migrateNow(context, options.json === true));
};

async function migrateNow(context: CommandContext, json: boolean): Promise<void> {
  const { databaseUrl, databaseDirectUrl } = context.config();
  if (databaseUrl === undefined)
    throw new CommandFailure("which database? Set DATABASE_URL (the embedded log needs no migration)");
  // The engine is heavy to load; `--help` does without.
  const [{ createPostgres }, { migrate }, { unavailable }, { maskedUrl }] = await Promise.all([
    import("../../adapters/engines/postgres.ts"),
    import("../../adapters/engines/migrate.ts"),
    import("../compose.ts"),
    import("../config.ts"),
  ]);
  const postgres = createPostgres({ url: databaseUrl, directUrl: databaseDirectUrl });
  try {
    const applied = await migrate(postgres);
    printResult(context.io, json, { applied }, () =>
      applied.length === 0 ? ["nothing to do: the database is up to date"] : applied.map((name) => `${name} applied`),
    );
  } catch (error) {
    throw unavailable(`PostgreSQL at ${maskedUrl(databaseUrl)} (DATABASE_URL)`, error);
  } finally {
    await postgres.close();
  }
}
