import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Load } from "../k6/profiles.ts";
import { locustPython } from "../tools/install.ts";
import type { Generated, Generating } from "./generate.ts";
import { locustSummarySchema, locustVerdicts } from "./read-locust.ts";
import { share } from "./sample-engines.ts";
import { runTool } from "./tool.ts";

const folder = fileURLToPath(new URL("../locust/", import.meta.url));
/** As load-tests/locust/recorder.py says it. */
const thresholdsMissed = 99;

export async function runLocust({ users, seconds }: Load, run: Generating): Promise<Generated> {
  const found = await locustPython();
  if ("missing" in found) throw new Error(found.missing);
  const args = [
    ...["-m", "locust", "-f", join(folder, "locustfile.py"), "--headless", "--only-summary", "--loglevel", "WARNING"],
    // All are there within five seconds, and go on where they are when time is up: what they ask for then is cut off.
    ...["--users", String(users), "--spawn-rate", String(Math.max(1, users / 5)), "--run-time", `${seconds}s`],
    ...["--stop-timeout", "5"],
  ];
  const log = join(run.folder, "locust.log");
  const code = await runTool({
    ...{ program: found.program, args, cwd: run.folder, log, signal: run.signal, onLine: run.onLine },
    env: { SETTINGS: run.settings, PYTHONDONTWRITEBYTECODE: "1", PYTHONWARNINGS: "ignore" },
    onStart: (pid) => run.onStart("locust", pid),
  });
  run.signal.throwIfAborted();
  if (code !== 0 && code !== thresholdsMissed) throw new Error(`Locust ended with ${code}: see ${log}`);
  const raw: unknown = JSON.parse(await readFile(run.summary, "utf8"));
  const { series, version, requests, checks, sessions, ...summary } = locustSummarySchema.parse(raw);
  const { all, next } = summary;
  const errorRate = all.failed / Math.max(1, all.count);
  return {
    ...{ tool: "locust", toolVersion: version, title: "Personas" },
    what: "learners, power users, casual users, authors, analysts and operators, each with sessions of their own",
    beganAt: summary.beganAt,
    seconds: summary.seconds,
    verdicts: locustVerdicts({ series, version, requests, checks, sessions, ...summary }),
    totals: {
      ...{ requests: all.count, perSecond: all.count / summary.seconds, failed: all.failed, errorRate },
      ...{ p50: all.p50, p95: all.p95, p99: all.p99, max: all.max },
      ...{ nextP50: next.p50, nextP95: next.p95, nextP99: next.p99 },
      // A person who waits asks nothing meanwhile: this load is closed, and nothing is left out.
      ...{ steps: Object.values(sessions).reduce((sum, count) => sum + count, 0), dropped: 0, shed: summary.shed },
      accepted: summary.accepted,
      readyMade: share(summary.readyMade.yes, summary.readyMade.no),
    },
    ...{ requests, checks, levels: [], series },
    raw: { ...summary, sessions },
  };
}
