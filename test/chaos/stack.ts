import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proximal } from "../../infra/local/roles.ts";
import { createKey } from "../../infra/local/stack.ts";
import { createApiClient } from "../../src/app/api-client.ts";
import { course } from "../../src/app/demo/course.ts";
import { publishCourse } from "../../src/app/demo/publish-course.ts";
import { ofThisProcess } from "../support/environment.ts";
import { run } from "../support/servers.ts";
import { type Engines, environmentOf, type OnStop, startEngines } from "./engines.ts";
import { none, writeFaults } from "./faults-inside-file.ts";
import { type ProcessPlace, type SupervisedProcess, supervise, withFaultsInside } from "./processes.ts";
import { mountVolume, type Volume } from "./volume.ts";

/** A whole running system: engines behind lines that can fail, and processes of every role under a supervisor. */
export interface Stack extends Engines {
  /** Copies the logs of the processes to a folder, which stays; by default a new one. */
  keepLogs(folder?: string): string;
  readonly processes: readonly SupervisedProcess[];
  of(role: string): readonly SupervisedProcess[];
  readonly key: string;
  /** The disk of the log; null, with the reason, where none of its own may be mounted. */
  readonly disk: Volume | { readonly skip: string };
  /** `proximal ARGS` on these engines, to its end; throws where it fails. */
  proximal(...args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

export interface StackWanted {
  /** full: every engine, two processes of most roles. small: without Kafka, replica and second workers. */
  readonly size: "full" | "small";
  readonly tell: (line: string) => void;
}

const rolesOf = {
  small: ["api", "api", "projector", "trainer"],
  full: ["api", "api", "projector", "projector", "relay", "relay", "trainer", "trainer", "jobs"],
} as const;

export async function startStack({ size, tell }: StackWanted): Promise<Stack> {
  const undos: (() => unknown)[] = [];
  const onStop: OnStop = (undo) => void undos.push(undo);
  const stop = async (): Promise<void> => {
    for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) await undo();
  };
  try {
    return await started(size, tell, onStop, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function started(size: StackWanted["size"], tell: StackWanted["tell"], onStop: OnStop, stop: Stack["stop"]) {
  // Below a folder that PostgreSQL's account may enter.
  const folder = mkdtempSync(join(tmpdir(), "proximal-chaos-"));
  chmodSync(folder, 0o711);
  onStop(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  mkdirSync(join(folder, "processes"));
  const disk = openDisk(folder, onStop);
  const isFull = size === "full";
  const engines = await startEngines({ kafka: isFull, replica: isFull }, "skip" in disk ? null : disk, onStop);
  tell("engines answer");

  const faultsFile = join(folder, "processes", "commands.faults.json");
  writeFaults(faultsFile, none);
  const environment = environmentOf(engines);
  const forCommands = withFaultsInside(faultsFile, environment);
  const key = await createKey(forCommands);
  const place: ProcessPlace = { folder: join(folder, "processes"), environment };
  const numbers = new Map<string, number>();
  const processes = await Promise.all(
    rolesOf[size].map((role) => {
      numbers.set(role, (numbers.get(role) ?? 0) + 1);
      return supervise(role, numbers.get(role) ?? 1, place);
    }),
  );
  onStop(() => Promise.all(processes.map((process) => process.stop())));
  const of = (role: string) => processes.filter((process) => process.role === role);
  // Nobody is ready before the first projector has begun, which is a matter of seconds.
  await Promise.all(processes.map((process) => process.ready()));
  const [api] = of("api");
  await publishCourse(createApiClient({ url: api?.url ?? "", key, signal: AbortSignal.timeout(60_000) }), course);
  tell(`${processes.length} processes are ready`);
  const stack: Stack = {
    ...engines,
    ...{ processes, of, key, disk, stop },
    keepLogs(kept = mkdtempSync(join(tmpdir(), "proximal-chaos-logs-"))) {
      cpSync(place.folder, kept, { recursive: true });
      return kept;
    },
    proximal(...args) {
      const { program, args: all, env, cwd } = proximal(args, { ...forCommands, LOG_LEVEL: "error" });
      return run(program, all, { cwd, env: { ...ofThisProcess(), ...env } });
    },
  };
  return stack;
}

function openDisk(folder: string, onStop: OnStop): Stack["disk"] {
  const disk = mountVolume(join(folder, "disk"));
  if (!("skip" in disk)) onStop(() => disk.close());
  return disk;
}
