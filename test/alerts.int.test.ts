import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { missingPrometheus } from "../infra/prometheus/start.ts";
import { orSkip } from "./support/engines.ts";
import { runPrometheus } from "./support/prometheus.ts";
import { findProgram } from "./support/servers.ts";
import { serviceHere } from "./support/service.ts";

const folder = join(import.meta.dirname, "../infra");
const files = (path: string): string[] => readdirSync(join(folder, path)).map((name) => join(folder, path, name));
const promtool = findProgram("promtool") ?? orSkip({ skip: missingPrometheus });
const amtool = findProgram("amtool") ?? orSkip({ skip: "amtool is not installed (Debian: prometheus-alertmanager)" });

function output(program: string | null, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program ?? "", args, { encoding: "utf8" });
  expect(status, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

describe.skipIf(promtool === null)("infra/prometheus", () => {
  test("the configuration and its rules are valid", () => {
    output(promtool, "check", "config", join(folder, "prometheus/prometheus.yml"));
  });

  test("each alert fires when it should, and does not when it should not", () => {
    output(promtool, "test", "rules", ...files("prometheus/tests"));
  });

  // PROXIMAL_QUIET_SECONDS=3600 makes it an hour, with scrapes as far apart as in production.
  const seconds = Number(process.env.PROXIMAL_QUIET_SECONDS ?? 0);
  const everySeconds = seconds === 0 ? 1 : 15;
  test("a real Prometheus beside a process under light load: every rule can be evaluated, and none fires", {
    timeout: seconds * 1000 + 180_000,
  }, async () => {
    const service = await serviceHere();
    const { call } = service;
    const target = new URL((await call("/healthz")).url).host;
    const prometheus = await runPrometheus({ targets: [target], everySeconds });
    onTestFinished(prometheus.stop);
    await call("/v1/skills", { skillId: "add", title: "Adding" });
    await call("/v1/items", { itemId: "a1", title: "3 + 4", skillIds: ["add"] });
    const startedAt = performance.now();
    let n = 0;
    const step = async (): Promise<void> => {
      n += 1;
      const learnerId = `l${n % 50}`;
      const answer = { id: `i${n}`, learnerId, itemId: "a1", kind: "answer", correct: n % 3 > 0 };
      expect((await call("/v1/interactions", answer)).status).toBe(201);
      expect((await call(`/v1/learners/${learnerId}/next`)).status).toBe(200);
    };
    /** Scraped at least five times while the load was there, and long enough. */
    const enough = async (): Promise<boolean> => {
      if (performance.now() - startedAt < seconds * 1000) return false;
      const scrapes = await prometheus.query('count_over_time(up{job="proximal"}[1h])');
      return (scrapes[0]?.value ?? 0) >= 5 && (await prometheus.rules()).every(({ evaluated }) => evaluated);
    };
    while (!(await enough())) {
      await step();
      await sleep(200);
    }
    expect((await prometheus.query("up"))[0]?.value).toBe(1);
    expect((await prometheus.rules()).filter(({ error }) => error !== null)).toEqual([]);
    // What alerts read is there: errors of the three service levels.
    const levels = (await prometheus.query("slo:errors:ratio_rate5m")).map(({ labels }) => labels.slo);
    expect(levels.sort()).toEqual(["availability", "freshness", "latency"]);
    const alerts = await prometheus.alerts(seconds + 600);
    expect(alerts.filter(({ state }) => state === "firing")).toEqual([]);
  });
});

describe.skipIf(amtool === null)("infra/alertmanager", () => {
  const config = join(folder, "alertmanager/alertmanager.yml");
  const route = (...labels: readonly string[]): string =>
    output(amtool, "config", "routes", "test", `--config.file=${config}`, ...labels).trim();

  test("the configuration is valid; who is woken, and who finds it in the morning", () => {
    output(amtool, "check-config", config);
    expect(route("alertname=ProjectionStopped", "severity=page")).toBe("page");
    expect(route("alertname=DiskFills", "severity=ticket")).toBe("ticket");
    expect(route("alertname=Unknown")).toBe("ticket");
  });
});
