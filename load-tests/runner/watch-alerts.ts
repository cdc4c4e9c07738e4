import { join } from "node:path";
import { type Fired, startPrometheus } from "../../infra/prometheus/start.ts";
import type { Result } from "./result.ts";
import type { Target } from "./target.ts";

export interface AlertWatch {
  /** What fired since the start, as a threshold: that nothing does. */
  verdict(): Promise<Result["verdicts"][number]>;
  stop(): Promise<void>;
}

/** A Prometheus that scrapes all roles of the target and looks at the alerts as often as in production. */
export async function watchAlerts({ roles }: Target, folder: string): Promise<AlertWatch> {
  const prometheus = await startPrometheus({
    targets: roles.map(({ name, url }) => ({ target: new URL(url).host, role: name })),
    folder: join(folder, "prometheus"),
    everySeconds: 15,
  });
  const startedAt = performance.now();
  return {
    verdict: async () => verdictOf(await prometheus.alerts((performance.now() - startedAt) / 1000 + 60)),
    stop: prometheus.stop,
  };
}

export function verdictOf(alerts: readonly Fired[]): Result["verdicts"][number] {
  const namesOf = (state: Fired["state"]): string[] => [
    ...new Set(alerts.filter((one) => one.state === state).map(({ alert }) => alert)),
  ];
  const [firing, pending] = [namesOf("firing"), namesOf("pending")];
  const value = firing.length === 0 ? "none" : firing.join(", ");
  return {
    name: "alerts of Prometheus",
    limit: "none fires",
    value: pending.length === 0 ? value : `${value} (pending at times: ${pending.join(", ")})`,
    met: firing.length === 0,
  };
}
