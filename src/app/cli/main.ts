import { Command, CommanderError } from "commander";
import { processEnvironment } from "../config.ts";
import { Explained } from "../explained.ts";
import { stopOnSignals } from "../lifecycle.ts";
import { scrubber } from "../observability/secrets.ts";
import { version } from "../version.ts";
import { addAfterRestore } from "./after-restore.ts";
import { addArchive } from "./archive.ts";
import { addBackup } from "./backup.ts";
import { addCapacity } from "./capacity.ts";
import { type AddCommand, createContext } from "./context.ts";
import { addDoctor } from "./doctor.ts";
import { addEvaluate } from "./evaluate.ts";
import { addEvents } from "./events.ts";
import { addExperiments } from "./experiments.ts";
import { addExplain } from "./explain.ts";
import { addExport } from "./export.ts";
import { addImport } from "./import.ts";
import { CommandFailure, exitCodes, type Io } from "./io.ts";
import { addJobs } from "./jobs.ts";
import { addKeys } from "./keys.ts";
import { addLag } from "./lag.ts";
import { addMigrate } from "./migrate.ts";
import { addParked } from "./parked.ts";
import { addRebuild } from "./rebuild.ts";
import { addReplays } from "./replays.ts";
import { addReport } from "./report.ts";
import { addScale } from "./scale.ts";
import { addServe } from "./serve.ts";
import { addSimulate } from "./simulate.ts";
import { addTracks } from "./tracks.ts";
import { addWhatIf } from "./what-if.ts";

const commands: readonly AddCommand[] = [
  addServe,
  addImport,
  addKeys,
  addEvents,
  addExport,
  addTracks,
  addArchive,
  addBackup,
  addAfterRestore,
  addMigrate,
  addLag,
  addScale,
  addParked,
  addJobs,
  addReplays,
  addReport,
  addRebuild,
  addEvaluate,
  addExperiments,
  addSimulate,
  addExplain,
  addWhatIf,
  addCapacity,
  addDoctor,
];

const about = `What should this learner do next, and why?

  $ proximal serve --demo                        a server with a course and a simulated class
  $ proximal import interactions answers.csv     what learners did, from a file
  $ proximal evaluate answers.csv                how well the learner model predicts it
  $ proximal doctor                              what is wrong here, and what to do

Settings are environment variables: docs/configuration.md, or proximal doctor.
Exit codes: 0 done, 1 failed, 2 done but some of the input was refused, 64 wrong use.`;

const lingerMs = 1000;

/** Runs one command line (without "node" and the script) and resolves with the exit code. Never rejects. */
export async function main(argv: readonly string[], given?: Io): Promise<number> {
  if (given !== undefined) return run(argv, given);
  const { signal, release } = stopOnSignals(process, () => process.exit(130));
  const closed = new AbortController();
  // `proximal events export | head`: the reader has gone, and that is no failure.
  process.stdout.on("error", () => closed.abort());
  const { stdin, stdout, stderr } = process;
  const io = {
    environment: processEnvironment(),
    stdin,
    stdout,
    stderr,
    signal: AbortSignal.any([signal, closed.signal]),
  };
  try {
    return await run(argv, io);
  } finally {
    release();
    // What was still being opened when the stop came may hold the process for as long as an engine hangs.
    if (argv[0] === "serve") setTimeout(() => process.exit(), lingerMs).unref();
  }
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const context = createContext(io, (code) => {
    exitCode = code;
  });
  const program = new Command("proximal")
    .description(about)
    .version(version(), "-V, --version", "print the version")
    .helpCommand("help [command]", "what a command does, with examples");
  for (const add of commands) add(program, context);
  prepare(program, io);
  try {
    if (argv.length === 0) throw new CommandFailure("which command? `proximal --help` lists them", exitCodes.usage);
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    return explain(error, io);
  }
}

/** Sub-commands do not inherit these from the program. */
function prepare(command: Command, io: Io): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ sortOptions: false })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => write(`proximal: ${text.replace(/^error: /, "").replace(/\n\((.*)\)/, " ($1)")}`),
    });
  for (const sub of command.commands) prepare(sub, io);
}

function explain(error: unknown, io: Io): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.ok;
    // "proximal keys" alone prints the help of keys, which says what is missing.
    return exitCodes.usage;
  }
  const scrubbed = scrubber(io);
  const message = scrubbed(error instanceof Error ? error.message : String(error));
  const known = error instanceof Explained;
  for (const line of message.split("\n").slice(0, known ? 50 : 1)) io.stderr.write(`proximal: ${line}\n`);
  if (isDebug(io)) io.stderr.write(`${scrubbed(error instanceof Error ? (error.stack ?? "") : "")}\n`);
  else if (!known) io.stderr.write("proximal: PROXIMAL_DEBUG=on shows where it comes from\n");
  return error instanceof CommandFailure ? error.exitCode : exitCodes.failure;
}

function isDebug({ environment }: Io): boolean {
  return environment.PROXIMAL_DEBUG === "on";
}
