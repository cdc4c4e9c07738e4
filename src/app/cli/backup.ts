import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { Config } from "../config.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, count, type Io, printResult } from "./io.ts";
import { examples } from "./options.ts";
import { startProgress } from "./progress.ts";

/**
 * The embedded folder, while it is written to. In this order: what the log names (weights, keys) was there before its
 * event, so what is copied after the log has it too.
 */
const files = ["log.sqlite", "blobs.sqlite", "api-keys.sqlite"] as const;
const manifestFile = "backup.json";
const manifestSchema = z.object({
  format: z.literal(1),
  takenAt: z.iso.datetime(),
  /** Of the log's last event. */
  position: z.number().int().min(0),
  files: z.record(
    z.enum(files),
    z.object({ bytes: z.number().int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
});
type Manifest = z.infer<typeof manifestSchema>;

export const addBackup: AddCommand = (program, context) => {
  program
    .command("backup")
    .description("copy the embedded log and what lies beside it into a new folder, while the server runs")
    .argument("<folder>", "is made; must not be there yet")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `\nPostgreSQL and EventStoreDB: docs/recovery.md\n${examples("proximal backup backups/2026-03-01")}`,
    )
    .action((folder: string, options: { json?: boolean }) => backUp(context, resolve(folder), options.json === true));
  program
    .command("restore")
    .description("put a backup into the data folder (PROXIMAL_DATA), which must hold no log; the server is stopped")
    .argument("<folder>", "made by `proximal backup`")
    .option("--json", "print JSON")
    .addHelpText("after", examples("PROXIMAL_DATA=.proximal proximal restore backups/2026-03-01"))
    .action((folder: string, options: { json?: boolean }) => restore(context, resolve(folder), options.json === true));
};

/** The folder of the embedded log; throws where the log is elsewhere. */
function embedded({ databaseUrl, dataFolder }: Config): string {
  if (databaseUrl === undefined) return resolve(dataFolder);
  throw new CommandFailure(
    "the log is not in the data folder but in DATABASE_URL: docs/recovery.md says how that is backed up",
  );
}

async function backUp(context: CommandContext, target: string, json: boolean): Promise<void> {
  const { io } = context;
  const source = embedded(context.config());
  if (!existsSync(join(source, files[0]))) throw new CommandFailure(`${source} (PROXIMAL_DATA) holds no log`);
  if (existsSync(target)) throw new CommandFailure(`${target} is there already: name a new folder`);
  const { copySqlite } = await import("../../adapters/engines/sqlite-copy.ts");
  const partial = `${target}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const sizes = await Promise.all(files.map((file) => sizeOf(join(source, file))));
  const progress = startProgress(
    io,
    "bytes",
    sizes.reduce((sum, size) => sum + size, 0),
  );
  let done = 0;
  const copied: Partial<Manifest["files"]> = {};
  try {
    for (const file of files) {
      io.signal.throwIfAborted();
      const { bytes, sha256 } = await copySqlite(join(source, file), join(partial, file), (n) =>
        progress.update(done + n),
      );
      copied[file] = { bytes, sha256 };
      done += bytes;
    }
    const manifest = { format: 1, takenAt: new Date().toISOString(), position: await headOf(partial), files: copied };
    await writeFile(join(partial, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
    await rename(partial, target);
    progress.stop();
    printResult(io, json, manifest, () => [`${target}: ${count(manifest.position)} events, ${count(done)} bytes`]);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw io.signal.aborted ? new CommandFailure("stopped: nothing was kept of the backup") : error;
  } finally {
    progress.stop();
  }
}

/** A WAL that was not copied into its database yet counts too. */
async function sizeOf(path: string): Promise<number> {
  const sizes = await Promise.all(
    [path, `${path}-wal`].map((one) =>
      stat(one).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function headOf(folder: string): Promise<number> {
  const { openSqliteLog } = await import("../../adapters/event-store/sqlite/log.ts");
  const log = await openSqliteLog({ folder });
  try {
    return await log.head();
  } finally {
    await log.close();
  }
}

async function restore(context: CommandContext, source: string, json: boolean): Promise<void> {
  const { io } = context;
  const target = embedded(context.config());
  const manifest = await readManifest(source);
  const held = files.find((file) => existsSync(join(target, file)));
  if (held !== undefined) {
    throw new CommandFailure(
      `${target} (PROXIMAL_DATA) holds ${held} already: stop the server and move that folder away first`,
    );
  }
  await mkdir(target, { recursive: true });
  await checked(io, source, manifest);
  // The log last: until it is there, the folder holds none, and the same command goes on.
  for (const file of [...files].reverse()) await place(join(source, file), join(target, file));
  // What was made from another state of the log.
  await rm(join(target, "read-models.snapshot"), { force: true });
  const { position, takenAt } = manifest;
  printResult(io, json, { position, takenAt }, () => [
    `${target} holds ${count(position)} events, as of ${takenAt}; the next start makes the rows from them`,
  ]);
}

async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, manifestFile), "utf8").catch(() => {
    throw new CommandFailure(`${folder} is no backup: it has no ${manifestFile}`);
  });
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new CommandFailure(`${join(folder, manifestFile)} is not that of a backup`, undefined, { cause: error });
  }
}

/** Before anything is put anywhere. */
async function checked(io: Io, folder: string, manifest: Manifest): Promise<void> {
  const { checkSqlite, sha256Of } = await import("../../adapters/engines/sqlite-copy.ts");
  for (const file of files) {
    io.signal.throwIfAborted();
    const path = join(folder, file);
    const found = await sha256Of(path).catch(() => null);
    if (found === null) throw new CommandFailure(`the backup is not whole: ${path} cannot be read`);
    if (found !== manifest.files[file].sha256)
      throw new CommandFailure(`the backup is damaged: the checksum of ${path} is not the one noted`);
    checkSqlite(path);
  }
}

async function place(from: string, to: string): Promise<void> {
  const { syncFile } = await import("../../adapters/engines/sqlite-copy.ts");
  await rm(`${to}.partial`, { force: true });
  await copyFile(from, `${to}.partial`);
  await syncFile(`${to}.partial`);
  await rename(`${to}.partial`, to);
}
