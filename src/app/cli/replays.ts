import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import { type Replay, type ReplayState, replayStates } from "../../ports/replay-store.ts";
import type { ReplayAnswer, Replays } from "../../queries/replays/replays.ts";
import { createLifecycle } from "../lifecycle.ts";
import { silentLogger } from "../observability/logging.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, count, type Io, printResult, tableLines, usageFailure } from "./io.ts";
import { examples, wholeNumberOf } from "./options.ts";
import { startProgress } from "./progress.ts";
import { withEngines } from "./with-engines.ts";

interface JsonOption {
  readonly json?: boolean;
}

export const addReplays: AddCommand = (program, context) => {
  const replays = program
    .command("replays")
    .description("exports, reports and what-ifs that a server works on in the background");
  addLooking(replays, context);
  replays
    .command("start")
    .description("ask for one; a server does it, within 5 s where it has nothing else to do")
    .argument("<kind>", "export, ...")
    .option("--input <json|@file>", "what it is about, as docs/replays.md says for each kind", "{}")
    .option("--wait", "until it has ended, with its progress")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        `proximal replays start export --input '{"what":"events","format":"parquet"}' --wait`,
        "proximal replays start what-if --input @question.json",
      ),
    )
    .action((kind: string, options: StartOptions) => start(context, kind, options));
  replays
    .command("cancel")
    .description("end one that waits or runs; its files are gone")
    .argument("<id>", "as `replays list` shows it")
    .option("--json", "print JSON")
    .action((id: string, { json = false }: JsonOption) => cancel(context, id, json));
  replays
    .command("remove")
    .description("take one away with its files, before it expires")
    .argument("<id>", "as `replays list` shows it")
    .option("--json", "print JSON")
    .action((id: string, { json = false }: JsonOption) => remove(context, id, json));
  replays
    .command("fetch")
    .description("write the files of one that is done")
    .argument("<id>", "as `replays list` shows it")
    .argument("[name]", "of the file; all when left out")
    .option("--out <folder>", "where to", ".")
    .option("--stdout", "write the one file to stdout")
    .addHelpText(
      "after",
      examples(
        "proximal replays fetch 018f3c2a-... --out results",
        "proximal replays fetch 018f3c2a-... events.csv --stdout | head",
      ),
    )
    .action((id: string, name: string | undefined, options: FetchOptions) => fetchFiles(context, id, name, options));
};

function addLooking(replays: ReturnType<Parameters<AddCommand>[0]["command"]>, context: CommandContext): void {
  replays
    .command("list")
    .description("the newest first")
    .addOption(new Option("--state <state>", "only these").choices(replayStates))
    .option("--kind <kind>", "only these")
    .option("--limit <number>", "so many", wholeNumberOf(1), 50)
    .option("--json", "print JSON")
    .action((options: ListOptions) => list(context, options));
  replays
    .command("show")
    .description("how far one is, what came of it, and its files")
    .argument("<id>", "as `replays list` shows it")
    .option("--json", "print JSON")
    .action((id: string, { json = false }: JsonOption) =>
      withReplays(context, async (all) => show(context.io, await existing(all, id), json)),
    );
}

interface ListOptions extends JsonOption {
  readonly state?: ReplayState;
  readonly kind?: string;
  readonly limit: number;
}

function list(context: CommandContext, { state, kind, limit, json = false }: ListOptions): Promise<void> {
  return withReplays(context, async (all) => {
    const found = await all.list({ limit, ...(state && { state }), ...(kind && { kind }) });
    printResult(context.io, json, found, () =>
      found.length === 0
        ? ["no replays"]
        : tableLines(
            ["id", "kind", "state", "asked", "progress", "files"],
            found.map((one) => [
              one.id,
              one.kind,
              one.state,
              timeText(one.createdAt),
              progressText(one),
              filesText(one),
            ]),
          ),
    );
  });
}

function show(io: Io, replay: Replay, json: boolean): void {
  printResult(io, json, replay, () => [
    `${replay.kind} ${replay.id}: ${replay.state}${replay.progress === null ? "" : `, ${progressText(replay)}`}`,
    `asked ${timeText(replay.createdAt)}${replay.endedAt === null ? "" : `, ended ${timeText(replay.endedAt)}`}, turns ${replay.attempts}`,
    `input ${JSON.stringify(replay.input)}`,
    ...(replay.error === null ? [] : [`why: ${replay.error}`]),
    ...(replay.summary === null ? [] : [`summary ${JSON.stringify(replay.summary)}`]),
    ...replay.files.map(({ name, mediaType, bytes }) => `file ${name}  ${mediaType}  ${count(bytes)} bytes`),
  ]);
}

interface StartOptions extends JsonOption {
  readonly input: string;
  readonly wait?: boolean;
}

async function start(context: CommandContext, kind: string, { input, wait = false, json = false }: StartOptions) {
  const asked = await inputOf(input);
  return withReplays(context, async (all) => {
    const request = { kind, input: asked, idempotencyKey: randomUUID(), requestedBy: null, mayAll: true };
    const replay = added(await all.request(request));
    if (!wait) {
      printResult(context.io, json, replay, () => [`${replay.id} waits: \`proximal replays show ${replay.id}\``]);
      return;
    }
    const ended = await untilEnded(all, replay, context.io);
    show(context.io, ended, json);
    if (ended.state !== "done") throw new CommandFailure(`the replay ${ended.id} is ${ended.state}`);
  });
}

async function inputOf(text: string): Promise<unknown> {
  try {
    return JSON.parse(text.startsWith("@") ? await readFile(text.slice(1), "utf8") : text);
  } catch (error) {
    throw usageFailure(`--input: ${(error as Error).message}`);
  }
}

function added(answer: ReplayAnswer): Replay {
  switch (answer.status) {
    case "added":
    case "known":
      return answer.replay;
    case "unknown kind":
      throw usageFailure(`there are the kinds ${answer.kinds.join(", ")}`);
    case "invalid": {
      const [issue] = answer.issues;
      throw usageFailure(`--input: ${[issue?.path.join("."), issue?.message].filter(Boolean).join(": ")}`);
    }
    case "full":
      throw new CommandFailure(`${answer.open} replays wait or run already: cancel some, or wait`);
    default:
      throw new CommandFailure(answer.status);
  }
}

const lookAgainMs = 500;

/** Ctrl-C leaves it to the server. */
async function untilEnded(all: Replays, { id }: Replay, io: Io): Promise<Replay> {
  const progress = startProgress(io, "done", null);
  try {
    for (;;) {
      const replay = await existing(all, id);
      progress.update(replay.progress?.done ?? 0);
      if (replay.endedAt !== null) return replay;
      await sleep(lookAgainMs, undefined, { signal: io.signal }).catch(() => undefined);
      if (io.signal.aborted) throw new CommandFailure(`it goes on: \`proximal replays show ${id}\``);
    }
  } finally {
    progress.stop();
  }
}

function cancel(context: CommandContext, id: string, json: boolean): Promise<void> {
  return withReplays(context, async (all) => {
    const { state } = await existing(all, id);
    if (!(await all.cancel(id))) throw new CommandFailure(`it has ended: it is ${state}`);
    printResult(context.io, json, { id, cancelled: true }, () => [`cancelled ${id}`]);
  });
}

function remove(context: CommandContext, id: string, json: boolean): Promise<void> {
  return withReplays(context, async (all) => {
    await existing(all, id);
    await all.remove(id);
    printResult(context.io, json, { id, removed: true }, () => [`removed ${id}`]);
  });
}

interface FetchOptions {
  readonly out: string;
  readonly stdout?: boolean;
}

function fetchFiles(
  context: CommandContext,
  id: string,
  name: string | undefined,
  options: FetchOptions,
): Promise<void> {
  const { io } = context;
  return withReplays(context, async (all) => {
    const { state, files } = await existing(all, id);
    if (state !== "done") throw new CommandFailure(`it is ${state}: files are there when it is done`);
    const wanted = files.filter((file) => (name ?? file.name) === file.name);
    if (wanted.length === 0)
      throw new CommandFailure(`it made ${files.map((file) => file.name).join(", ") || "no file"}`);
    const [only, ...others] = wanted;
    if (options.stdout === true && others.length > 0) throw usageFailure("--stdout: give the name of one file");
    for (const file of options.stdout === true ? [] : wanted) {
      const path = join(options.out, file.name);
      await pipeline(Readable.from(all.content(id, file)), createWriteStream(path), { signal: io.signal }).catch(
        (error) => {
          throw new CommandFailure(io.signal.aborted ? "stopped" : `${path}: ${error.message}`);
        },
      );
      io.stderr.write(`${path}: ${count(file.bytes)} bytes\n`);
    }
    if (options.stdout === true && only !== undefined) {
      await pipeline(Readable.from(all.content(id, only)), io.stdout, { end: false, signal: io.signal });
    }
  });
}

/** The store itself, with a server or without. */
function withReplays(context: CommandContext, work: (all: Replays) => Promise<void>): Promise<void> {
  return withEngines(context, async (engines, config) => {
    const [{ replaysOf }, { replayKinds }, { replayDeps }] = await Promise.all([
      import("../replays/compose-replays.ts"),
      import("../replays/replay-kinds.ts"),
      import("../replays/replay-deps.ts"),
    ]);
    const log = silentLogger();
    const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
    const kinds = replayKinds(replayDeps(config, engines, life, log));
    await work(replaysOf(config, engines, kinds, null, log));
  });
}

const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function existing(all: Replays, id: string): Promise<Replay> {
  const replay = idPattern.test(id) ? await all.get(id) : null;
  if (replay === null) throw new CommandFailure(`there is no replay ${id}: \`proximal replays list\``);
  return replay;
}

const timeText = (ms: number): string => new Date(ms).toISOString().slice(0, 19);

function progressText({ progress }: Replay): string {
  if (progress === null) return "";
  const { done, total } = progress;
  return total === null ? count(done) : `${count(done)} of ${count(total)}`;
}

function filesText({ files }: Replay): string {
  return files.map(({ name, bytes }) => `${name} (${count(bytes)})`).join(", ");
}
