import { setTimeout as sleep } from "node:timers/promises";
import type { LagReply } from "../../http/routes/lag.ts";
import type { ApiClient } from "../api-client.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { type Io, printResult, writeText } from "./io.ts";
import { createLagHistory, cutTo, lagTable } from "./lag-table.ts";
import { type OpsOptions, withOperator } from "./ops-client.ts";
import { examples } from "./options.ts";

interface LagOptions extends OpsOptions {
  readonly watch?: boolean;
}

export const addLag: AddCommand = (program, context) => {
  program
    .command("lag")
    .description("how far projections, relay and jobs of the running server are behind, and when that is done")
    .option("--watch", "a table that is drawn again each second, until Ctrl-C; lines where stdout is no terminal")
    .option("--url <url>", "of the server; HOST and PORT when left out")
    .option("--key <key>", "an operator's key; one is made for ten minutes when left out")
    .option("--json", "print JSON; with --watch a line each second (NDJSON)")
    .addHelpText(
      "after",
      examples(
        "proximal lag",
        "proximal lag --watch",
        "proximal lag --watch --json | jq '.projections[].behindEvents'",
      ),
    )
    .action((options: LagOptions) => lag(context, options));
};

const everyMs = 1_000;
/** Two minutes of looks are drawn, as far as there is room. */
const looksMax = 120;

function lag(context: CommandContext, options: LagOptions): Promise<void> {
  const { io } = context;
  return withOperator(context, options, async (api) => {
    if (options.watch !== true) {
      const reply = await once(api, io);
      printResult(io, options.json === true, reply, () => lagTable(reply));
      return;
    }
    const show = options.json === true ? jsonLines(io) : io.stdout.isTTY === true ? await table(io, api) : lines(io);
    try {
      while (!io.signal.aborted && !io.stdout.destroyed) {
        await show.next(await ask(api));
        await pause(io);
      }
    } catch (error) {
      if (!io.signal.aborted) throw error;
    } finally {
      show.end();
    }
  });
}

const ask = async (api: ApiClient): Promise<LagReply> => (await api.get("/v1/ops/lag")) as LagReply;
const pause = (io: Io): Promise<void> => sleep(everyMs, undefined, { signal: io.signal }).catch(() => undefined);

/** A server that nobody has asked before knows no rates yet: it does a second later. */
async function once(api: ApiClient, io: Io): Promise<LagReply> {
  const first = await ask(api);
  if (first.projections.some(({ rateIn }) => rateIn !== null)) return first;
  await pause(io);
  return ask(api);
}

interface Show {
  next(reply: LagReply): Promise<void>;
  end(): void;
}

const jsonLines = (io: Io): Show => ({
  next: (reply) => writeText(io.stdout, `${JSON.stringify({ at: new Date().toISOString(), ...reply })}\n`),
  end: () => undefined,
});

const lines = (io: Io): Show => ({
  next: (reply) => writeText(io.stdout, `${new Date().toISOString()}\n${lagTable(reply).join("\n")}\n\n`),
  end: () => undefined,
});

/** Drawn in place; the last one stays on the screen. */
async function table(io: Io, { url }: ApiClient): Promise<Show> {
  const { createLogUpdate } = await import("log-update");
  const stdout = io.stdout as NodeJS.WriteStream;
  const draw = createLogUpdate(stdout);
  const history = createLagHistory(looksMax);
  const colours = stdout.hasColors?.() ?? false;
  return {
    async next(reply) {
      history.add(reply);
      const { columns = 120 } = stdout;
      const looks = Math.max(5, Math.min(looksMax, columns - 110));
      const text = [
        `${new Date().toLocaleTimeString()}  ${url}  (Ctrl-C ends)`,
        "",
        ...lagTable(reply, { history, looks, colours }),
      ];
      draw(text.map((line) => cutTo(columns, line)).join("\n"));
    },
    end: () => draw.done(),
  };
}
