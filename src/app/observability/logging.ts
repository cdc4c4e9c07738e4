import { type DestinationStream, type Logger, pino } from "pino";
import pretty from "pino-pretty";
import type { Config } from "../config.ts";
import { scrubber } from "./secrets.ts";

/** Where an API key or a password could turn up in what is logged. What turns up elsewhere is found by its value. */
const secretPaths = [
  ...["headers.authorization", "req.headers.authorization", 'headers["x-api-key"]', "key", "password"],
  // What ioredis says of a command that failed: AUTH has a password.
  ...["err.command", "error.command"],
];

/** The process's log, on stderr: text for people at a terminal, else JSON lines. `fields`: of each line, as the trace it belongs to. */
export function createLogger(
  config: Config,
  output: NodeJS.WritableStream & { readonly isTTY?: boolean },
  fields?: () => object,
): Logger {
  const scrubbed = scrubber(config);
  const text = config.logFormat === "text" || (config.logFormat === "auto" && output.isTTY === true);
  const destination: DestinationStream = text
    ? pretty({
        destination: output,
        colorize: output.isTTY === true,
        singleLine: true,
        ignore: "pid,hostname",
        translateTime: "SYS:HH:MM:ss",
      })
    : { write: (line) => void output.write(line) };
  const stream: DestinationStream = { write: (line) => destination.write(scrubbed(line)) };
  const redact = { paths: secretPaths, censor: "[redacted]" };
  return pino({ level: config.logLevel, redact, ...(fields === undefined ? {} : { mixin: fields }) }, stream);
}

/** For commands that have an output of their own. */
export const silentLogger = (): Logger => pino({ level: "silent" });
