import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { findProgram, freePort } from "../local/programs.ts";

/** The rules of this repository. */
export const ruleFiles = ["recording", "alerts"].map((name) =>
  fileURLToPath(new URL(`rules/${name}.yml`, import.meta.url)),
);

export interface Scraped {
  /** host:port; its metrics are at /metrics. */
  readonly target: string;
  readonly role: string;
}

export interface StartOptions {
  readonly targets: readonly Scraped[];
  /** Where its data and its configuration go; the caller removes it. */
  readonly folder: string;
  /** Between two scrapes, and between two looks at the rules. */
  readonly everySeconds: number;
}

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface Fired {
  readonly alert: string;
  readonly state: "pending" | "firing";
  readonly labels: Labels;
}

export interface Prometheus {
  readonly url: string;
  readonly pid: number;
  /** Alerts that were in this state at any time of the last so many seconds. */
  alerts(seconds: number): Promise<Fired[]>;
  /** Each rule: how often its group was looked at, and what went wrong at the last look; null where nothing did. */
  rules(): Promise<{ readonly name: string; readonly error: string | null; readonly evaluated: boolean }[]>;
  /** The answer of an expression now, one sample for each series. */
  query(expr: string): Promise<Sample[]>;
  /** Labels of all series of a metric. */
  series(metric: string): Promise<Labels[]>;
  /** Targets that were scraped, and did not answer well. */
  unhealthy(): Promise<string[]>;
  stop(): Promise<void>;
}

export const missingPrometheus = "Prometheus is not installed (no prometheus in PATH; Debian: prometheus)";

const vectorSchema = z.object({
  data: z.object({
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});
const seriesSchema = z.object({ data: z.array(z.record(z.string(), z.string())) });
const targetsSchema = z.object({
  data: z.object({
    activeTargets: z.array(z.object({ scrapeUrl: z.string(), health: z.string(), lastError: z.string() })),
  }),
});
const rulesSchema = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            name: z.string(),
            health: z.string(),
            lastError: z.string().optional(),
            lastEvaluation: z.string(),
          }),
        ),
      }),
    ),
  }),
});
const readyMs = 60_000;
const stopMs = 20_000;

/** A real Prometheus with the rules of this repository, on a free port of this machine. Rejects, in one line, where there is none. */
export async function startPrometheus({ targets, folder, everySeconds }: StartOptions): Promise<Prometheus> {
  const program = findProgram("prometheus");
  if (program === null) throw new Error(missingPrometheus);
  await mkdir(folder, { recursive: true });
  const every = `${everySeconds}s`;
  const config = {
    global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
    rule_files: ruleFiles,
    scrape_configs: [
      {
        job_name: "proximal",
        static_configs: targets.map(({ target, role }) => ({ targets: [target], labels: { role } })),
      },
    ],
  };
  const file = join(folder, "prometheus.yml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const options = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=${address}`,
  ];
  const child = spawn(program, options, { cwd: folder, stdio: "ignore" });
  await untilReady(child, url);

  async function ask(path: string): Promise<unknown> {
    const reply = await fetch(`${url}/api/v1/${path}`, { signal: AbortSignal.timeout(30_000) });
    if (!reply.ok) throw new Error(`Prometheus, ${path}: ${reply.status} ${(await reply.text()).slice(0, 300)}`);
    return reply.json();
  }
  async function query(expr: string): Promise<Sample[]> {
    const { data } = vectorSchema.parse(await ask(`query?query=${encodeURIComponent(expr)}`));
    return data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
  }
  return {
    ...{ url, pid: child.pid ?? 0, query },
    series: async (metric) =>
      seriesSchema.parse(await ask(`series?${new URLSearchParams({ "match[]": metric })}`)).data,
    async unhealthy() {
      const { data } = targetsSchema.parse(await ask("targets"));
      return data.activeTargets
        .filter(({ health }) => health !== "up")
        .map((one) => `${one.scrapeUrl} ${one.lastError}`);
    },
    async alerts(seconds) {
      const found = await query(`max_over_time(ALERTS[${Math.ceil(seconds)}s])`);
      return found.map(({ labels: { __name__: _, alertname = "", alertstate, ...labels } }) => ({
        ...{ alert: alertname, labels, state: alertstate === "firing" ? ("firing" as const) : ("pending" as const) },
      }));
    },
    async rules() {
      const { data } = rulesSchema.parse(await ask("rules"));
      return data.groups.flatMap(({ rules }) =>
        rules.map(({ name, health, lastError, lastEvaluation }) => ({
          ...{ name, error: health === "err" ? (lastError ?? health) : null },
          evaluated: health === "ok" && !lastEvaluation.startsWith("0001"),
        })),
      );
    },
    stop: () => stop(child),
  };
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const until = performance.now() + readyMs;
  for (;;) {
    const ready = await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(5_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode} as it started`);
    if (performance.now() > until) {
      await stop(child);
      throw new Error(`Prometheus was not ready within ${readyMs / 1000} s`);
    }
    await sleep(100);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const patience = setTimeout(() => child.kill("SIGKILL"), stopMs);
  await ended;
  clearTimeout(patience);
}
