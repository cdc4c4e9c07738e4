import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isReady, proximal } from "../../infra/local/roles.ts";
import { ofThisProcess } from "../support/environment.ts";
import { onProcessEnd } from "../support/process-end.ts";
import { freePort } from "../support/servers.ts";
import { type FaultsInside, none, writeFaults } from "./faults-inside-file.ts";

/** A process of Proximal under a supervisor, as systemd or Kubernetes are: where it ends by itself, it is started again. */
export interface SupervisedProcess {
  /** api-1, api-2, projector-1, ... */
  readonly name: string;
  readonly role: string;
  /** The same from start to start. */
  readonly url: string;
  /** kill -9. */
  kill(): void;
  /** It hangs, until `resume`. */
  pause(): void;
  resume(): void;
  /** Its clock and its names, at once; what is not given is as it should be. */
  setFaults(faults: Partial<FaultsInside>): void;
  /** Kills it; from its next start on these are added to its environment. */
  startWith(environment: Readonly<Record<string, string>>): void;
  /** How often it ended and was started again. */
  restarts(): number;
  /** Resolves when it answers that it is ready. */
  ready(): Promise<void>;
  /** SIGTERM, and no start again. False where it had to be killed. */
  stop(): Promise<boolean>;
}

export interface ProcessPlace {
  /** Holds logs and the files of faults. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** A supervisor waits a little, so that what cannot start does not take the machine. */
const restartMs = 500;
const stopMs = 20_000;
const readyMs = 300_000;
const inside = fileURLToPath(new URL("./faults-inside.ts", import.meta.url));

/** What a process of these engines is told besides its settings, so that it can be given faults; for commands as well. */
export const withFaultsInside = (file: string, environment: Readonly<Record<string, string>>) => ({
  ...environment,
  CHAOS_FAULTS: file,
  NODE_OPTIONS: [environment.NODE_OPTIONS ?? "", "--disable-warning=ExperimentalWarning", `--import=${inside}`].join(
    " ",
  ),
});

export async function supervise(role: string, number: number, place: ProcessPlace): Promise<SupervisedProcess> {
  const name = `${role}-${number}`;
  const port = await freePort();
  const faultsFile = join(place.folder, `${name}.faults.json`);
  writeFaults(faultsFile, none);
  let more: Readonly<Record<string, string>> = {};
  let stopping = false;
  let starts = 0;
  let child: ChildProcess;

  function start(): Promise<void> {
    const own = { ...place.environment, ...more, PORT: String(port), HOST: "127.0.0.1" };
    const { program, args, env, cwd } = proximal(["serve", "--role", role], withFaultsInside(faultsFile, own));
    const log = openSync(join(place.folder, `${name}.log`), "a");
    child = spawn(program, args, { cwd, env: { ...ofThisProcess(), ...env }, stdio: ["ignore", log, log] });
    closeSync(log);
    starts += 1;
    return new Promise((resolve) => child.on("close", () => resolve()));
  }

  async function keepRunning(): Promise<void> {
    for (let ended = start(); ; ended = start()) {
      await ended;
      if (stopping) return;
      await sleep(restartMs);
      if (stopping) return;
    }
  }

  const running = keepRunning();
  const forget = onProcessEnd(() => void child.kill("SIGKILL"));
  return {
    ...{ name, role, url: `http://127.0.0.1:${port}` },
    kill: () => void child.kill("SIGKILL"),
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    setFaults: (faults) => writeFaults(faultsFile, { ...none, ...faults }),
    startWith(environment) {
      more = environment;
      child.kill("SIGKILL");
    },
    restarts: () => starts - 1,
    async ready() {
      for (const end = performance.now() + readyMs; ; await sleep(50)) {
        try {
          return await isReady(port);
        } catch (error) {
          if (performance.now() > end) throw new Error(`${name} is not ready: ${String(error)}`);
        }
      }
    },
    async stop() {
      stopping = true;
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      const inTime = await Promise.race([running.then(() => true), sleep(stopMs, false, { ref: false })]);
      if (!inTime) child.kill("SIGKILL");
      await running;
      forget();
      return inTime;
    },
  };
}
