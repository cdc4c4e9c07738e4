import { Option } from "commander";
import { eventSchemas } from "../../domain/events.ts";
import { streamCategories } from "../../domain/streams.ts";
import { type EventsDeps, type EventsRequest, exportEvents } from "../../queries/events.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { count, usageFailure, writeText } from "./io.ts";
import { examples, gathered, wholeNumberOf } from "./options.ts";
import { withEngines } from "./with-engines.ts";

interface EventOptions {
  readonly after?: number;
  readonly limit?: number;
  readonly type?: string[];
  readonly category?: string[];
  readonly learner?: string;
}

export const addEvents: AddCommand = (program, context) => {
  const events = program.command("events").description("the log itself, as lines of JSON");
  const filters = (name: string, about: string) =>
    events
      .command(name)
      .description(about)
      .addOption(
        new Option("--type <type>", "only events of this type; may be given several times").argParser(
          oneOf("--type", Object.keys(eventSchemas)),
        ),
      )
      .addOption(
        new Option("--category <category>", "only these streams; may be given several times").argParser(
          oneOf("--category", streamCategories),
        ),
      )
      .option("--learner <id>", "only what this learner did");
  filters("export", "write all events to stdout, oldest first")
    .option("--after <position>", "go on after this position", wholeNumberOf(0), 0)
    .option("--limit <events>", "stop after so many", wholeNumberOf(1))
    .addHelpText(
      "after",
      examples(
        "proximal events export > events.ndjson",
        "proximal events export --type InteractionRecorded --after 120000 >> events.ndjson",
        "proximal events export --learner ada | jq .data.correct",
      ),
    )
    .action((options: EventOptions) => exportAll(context, options));
  filters("tail", "write events as they come in, until Ctrl-C")
    .option("--after <position>", "begin after this position; with the next event when left out", wholeNumberOf(0))
    .option("--limit <events>", "stop after so many", wholeNumberOf(1))
    .addHelpText("after", examples("proximal events tail", "proximal events tail --type ModelPublished"))
    .action((options: EventOptions) => tail(context, options));
};

const oneOf =
  (option: string, allowed: readonly string[]) => (value: string, previous: readonly string[] | undefined) => {
    if (!allowed.includes(value)) throw usageFailure(`${option} ${value}: there are ${allowed.join(", ")}`);
    return gathered(value, previous);
  };

function exportAll(context: CommandContext, options: EventOptions): Promise<void> {
  return withEngines(context, async ({ eventStore, feed }) => {
    const after = options.after ?? 0;
    const { written, position } = await writeEvents(context, { eventStore, feed }, requestOf(options, after, false));
    context.io.stderr.write(`${count(written)} events, up to position ${position}; later: --after ${position}\n`);
  });
}

function tail(context: CommandContext, options: EventOptions): Promise<void> {
  return withEngines(context, async ({ eventStore, feed }) => {
    const after = options.after ?? (await feed.head());
    const { position } = await writeEvents(context, { eventStore, feed }, requestOf(options, after, true));
    context.io.stderr.write(`up to position ${position}; to go on: --after ${position}\n`);
  });
}

/** `position`: of the last event written, where the next command goes on. */
async function writeEvents(
  { io }: CommandContext,
  deps: EventsDeps,
  request: EventsRequest,
): Promise<{ written: number; position: number }> {
  let written = 0;
  let position = request.after;
  for await (const page of exportEvents(deps, request, io.signal)) {
    const lines = page.trimEnd().split("\n");
    written += lines.length;
    position = (JSON.parse(lines.at(-1) ?? "{}") as { position: number }).position;
    await writeText(io.stdout, page);
  }
  return { written, position };
}

function requestOf({ type, category, learner, limit }: EventOptions, after: number, follow: boolean): EventsRequest {
  return {
    after,
    limit: limit ?? Number.MAX_SAFE_INTEGER,
    categories: category,
    types: type,
    learnerIds: learner === undefined ? undefined : [learner],
    follow,
  };
}
