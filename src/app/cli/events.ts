import { Option } from "commander";
import { eventSchemas } from "../../domain/events.ts";
import { learnerStream, streamCategories } from "../../domain/streams.ts";
import type { StoredEvent } from "../../ports/event-store.ts";
import type { Feed, FeedFilter } from "../../ports/feed.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { count, usageFailure, writeLine } from "./io.ts";
import { examples, gathered, wholeNumberOf } from "./options.ts";
import { withEngines } from "./with-engines.ts";

interface EventOptions {
  readonly after?: number;
  readonly limit?: number;
  readonly type?: string[];
  readonly category?: string[];
  readonly learner?: string;
}

const pageEvents = 1000;

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
    .action((options: EventOptions) => exportEvents(context, options));
  filters("tail", "write events as they come in, until Ctrl-C")
    .option("--after <position>", "begin after this position; with the next event when left out", wholeNumberOf(0))
    .option("--limit <events>", "stop after so many", wholeNumberOf(1))
    .addHelpText("after", examples("proximal events tail", "proximal events tail --type ModelPublished"))
    .action((options: EventOptions) => tailEvents(context, options));
};

const oneOf =
  (option: string, allowed: readonly string[]) => (value: string, previous: readonly string[] | undefined) => {
    if (!allowed.includes(value)) throw usageFailure(`${option} ${value}: there are ${allowed.join(", ")}`);
    return gathered(value, previous);
  };

function exportEvents(context: CommandContext, options: EventOptions): Promise<void> {
  return withEngines(context, async ({ feed }) => {
    const { written, position } = await writeEvents(context, feed, options, options.after ?? 0, false);
    context.io.stderr.write(`${count(written)} events, up to position ${position}; later: --after ${position}\n`);
  });
}

function tailEvents(context: CommandContext, options: EventOptions): Promise<void> {
  return withEngines(context, async ({ feed }) => {
    const after = options.after ?? (await feed.head());
    const { position } = await writeEvents(context, feed, options, after, true);
    context.io.stderr.write(`up to position ${position}; to go on: --after ${position}\n`);
  });
}

/** `position` is where to resume: after the last event written where a limit cut, else as far as was read. */
async function writeEvents(
  { io }: CommandContext,
  feed: Feed,
  options: EventOptions,
  after: number,
  follow: boolean,
): Promise<{ written: number; position: number }> {
  const filter = filterOf(options);
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  let written = 0;
  let position = after;
  while (!io.signal.aborted) {
    const page = await feed.read(position, pageEvents, filter);
    for (const event of page.events) {
      if (options.learner === undefined || event.stream === learnerStream(options.learner)) {
        await writeLine(io.stdout, lineOf(event));
        written += 1;
      }
      position = event.position;
      if (written >= limit || io.signal.aborted) return { written, position };
    }
    position = Math.max(position, page.position);
    if (page.atHead && !follow) break;
    if (page.atHead) await feed.waitForMore(position, 1000, io.signal);
  }
  return { written, position };
}

function filterOf({ type, category, learner }: EventOptions): FeedFilter {
  const categories = learner === undefined ? category : ["learner"];
  return { ...(categories === undefined ? {} : { categories }), ...(type === undefined ? {} : { types: type }) };
}

function lineOf(event: StoredEvent): string {
  const { position, recordedAt, stream, revision, type, eventId, data, metadata } = event;
  return JSON.stringify({ position, recordedAt, stream, revision, type, eventId, data, metadata });
}
