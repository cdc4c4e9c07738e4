import type { Command } from "commander";
import { type Config, type Environment, loadConfig } from "../config.ts";
import type { Io } from "./io.ts";

/** What every command is given. */
export interface CommandContext {
  readonly io: Io;
  /** The settings; `given` holds what options of this command set, by the name of the variable. Throws BadConfig. */
  config(given?: Environment): Config;
  /** The exit code, where it is not 0. */
  exit(code: number): void;
}

export type AddCommand = (program: Command, context: CommandContext) => void;

export function createContext(io: Io, exit: (code: number) => void): CommandContext {
  const warned = new Set<string>();
  return {
    io,
    exit,
    config(given = {}) {
      const { config, warnings } = loadConfig(io.environment, given);
      for (const warning of warnings.filter((line) => !warned.has(line))) {
        warned.add(warning);
        io.stderr.write(`proximal: warning: ${warning}\n`);
      }
      return config;
    },
  };
}
