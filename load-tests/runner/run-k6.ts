import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Load, profiles, type ScenarioName } from "../k6/profiles.ts";
import { k6 } from "../tools/install.ts";
import type { Generated, Generating } from "./generate.ts";
import { levelsFound, parseRecord, parseSummary, requestsOf, seriesOf, totalsOf, verdictsOf } from "./read-k6.ts";
import { runTool } from "./tool.ts";

const script = fileURLToPath(new URL("../k6/main.ts", import.meta.url));
/** k6's own exit code where a threshold was crossed. */
const thresholdsCrossed = 99;

export async function runK6(name: ScenarioName, load: Load, run: Generating): Promise<Generated> {
  const found = await k6();
  if ("missing" in found) throw new Error(found.missing);
  const record = join(run.folder, "k6-record.ndjson");
  const dashboard = `web-dashboard=port=-1&period=1s&tag=name&record=${record}`;
  // No server of its own, nothing told to anybody.
  const args = ["run", "--quiet", "--no-color", "--no-usage-report", "--address", "", "--out", dashboard, script];
  const code = await runTool({
    ...{ program: found.program, args, cwd: run.folder, env: { SETTINGS: run.settings } },
    ...{ log: join(run.folder, "k6.log"), signal: run.signal, onLine: run.onLine },
    onStart: (pid) => run.onStart("k6", pid),
  });
  run.signal.throwIfAborted();
  if (code !== 0 && code !== thresholdsCrossed)
    throw new Error(`k6 ended with ${code}: see ${join(run.folder, "k6.log")}`);
  const text = await readFile(run.summary, "utf8");
  const summary = parseSummary(text);
  const recorded = parseRecord(await readFile(record, "utf8"));
  return {
    ...{ tool: "k6", toolVersion: "2.2.0", title: profiles[name].title, what: profiles[name].what },
    beganAt: recorded.startedAt,
    seconds: summary.state.testRunDurationMs / 1000,
    verdicts: verdictsOf(name, load, summary),
    totals: totalsOf(name, summary, recorded),
    requests: requestsOf(recorded),
    checks: summary.root_group.checks.map(({ name, passes, fails }) => ({ name, passes, fails })),
    levels: name === "stress" ? levelsFound(load, summary) : [],
    series: seriesOf(recorded),
    raw: JSON.parse(text),
  };
}
