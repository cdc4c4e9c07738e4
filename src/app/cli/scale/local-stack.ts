import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { CommandFailure, type Io } from "../io.ts";

/** The stack of `npm run up`, spoken to by its own command: it is no part of what is installed with the server. */
export interface LocalStack {
  readonly url: string;
  readonly key: string;
  readonly folder: readonly string[];
}

const script = fileURLToPath(new URL("../../../../infra/local/main.ts", import.meta.url));
const statusSchema = z.object({
  runs: z.boolean(),
  size: z.enum(["small", "full"]).optional(),
  by: z.enum(["local", "compose"]).optional(),
  url: z.string().nullish(),
  key: z.string().nullish(),
});

/** Rejects with what to do where there is none that can be scaled. */
export async function localStack(folder: string | undefined): Promise<LocalStack> {
  if (!existsSync(script)) throw new CommandFailure("--apply local scales npm run up, which is in the repository only");
  const place = folder === undefined ? [] : ["--folder", folder];
  const { output } = await run(["status", "--json", ...place], null);
  const status = statusSchema.parse(JSON.parse(output));
  if (!status.runs) throw new CommandFailure("--apply local: nothing runs: npm run up");
  if (status.size !== "full" || status.by !== "local" || !status.url || !status.key)
    throw new CommandFailure("--apply local: what runs is one process, or containers: npm run up -- --size full");
  return { url: status.url, key: status.key, folder: place };
}

/** `changes`: like projector=3. Resolves when the processes are there, or gone. */
export async function scaleLocally(io: Io, { folder }: LocalStack, changes: readonly string[]): Promise<void> {
  io.stderr.write(`scaling: ${changes.join(" ")}\n`);
  const { code, output } = await run(["scale", ...changes, ...folder], io);
  if (code !== 0 && !io.signal.aborted) throw new CommandFailure(output.trim().split("\n").at(-1) ?? "scaling failed");
}

/** With `io` its lines are shown as they come. */
async function run(
  args: readonly string[],
  io: Io | null,
): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      io?.stderr.write(text);
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? 1, output };
}
