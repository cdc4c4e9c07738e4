import { existsSync } from "node:fs";
import { chmod, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { isRunning } from "./processes.ts";

const pieceSchema = z.object({
  name: z.string(),
  pid: z.number().int(),
  /** When the process began, as the system says it: a pid alone may be another's by now. */
  began: z.string(),
  port: z.number().int(),
  log: z.string(),
  /** How it is asked to end. */
  signal: z.enum(["SIGTERM", "SIGINT"]),
});

const stateSchema = z.object({
  version: z.literal(1),
  size: z.enum(["small", "full"]),
  /** local: processes of this machine; compose: containers. */
  by: z.enum(["local", "compose"]),
  password: z.string(),
  key: z.string().nullable(),
  /** Ports by name; kept from one `up` to the next where they are free. */
  ports: z.record(z.string(), z.number().int()),
  /** In the order in which they were started. */
  pieces: z.array(pieceSchema),
  /** Processes of a role, where there shall be more than one. */
  workers: z.record(z.string(), z.number().int().min(1)).default({}),
});

export type Piece = z.infer<typeof pieceSchema>;
export type State = z.infer<typeof stateSchema>;
export type Size = State["size"];

/** The folder of a stack: its state, logs and data. Only its owner may look into the state: it holds a key. */
export interface StackFolder {
  readonly path: string;
  read(): Promise<State | null>;
  write(state: State): Promise<void>;
  /** For one `up` or `down` at a time; the function it gives unlocks. Throws where another one is at work. */
  lock(): Promise<() => Promise<void>>;
}

export function stackFolder(path = join(".proximal", "up")): StackFolder {
  const folder = resolve(path);
  const file = join(folder, "state.json");
  const lockFile = join(folder, "lock");
  return {
    path: folder,
    async read() {
      if (!existsSync(file)) return null;
      const parsed = stateSchema.safeParse(JSON.parse(await readFile(file, "utf8")));
      if (!parsed.success) throw new Error(`${file} is not of this version: stop what runs, and remove it`);
      return parsed.data;
    },
    async write(state) {
      await mkdir(folder, { recursive: true });
      const next = `${file}.next`;
      await writeFile(next, JSON.stringify(state, null, 2));
      await chmod(next, 0o600);
      // As a whole or not at all: a pid that is lost is a process that nobody stops.
      await rename(next, file);
    },
    async lock() {
      await mkdir(folder, { recursive: true });
      const holder = Number(await readFile(lockFile, "utf8").catch(() => "0"));
      if (holder > 0 && isRunning(holder)) throw new Error(`another up or down is at work (process ${holder})`);
      await rm(lockFile, { force: true });
      const handle = await open(lockFile, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(lockFile, { force: true });
    },
  };
}
