import { Gauge, type Registry } from "prom-client";
import type { RolePlan } from "../domain/scaling/role-plan.ts";
import type { ScalingWatch } from "../queries/scaling/scaling-watch.ts";

/** What scalers and dashboards follow. Collecting looks, as asking for the plan does; what is not known is absent, not zero. */
export function registerScalingMetrics(registry: Registry, watch: ScalingWatch): void {
  const gauge = (name: string, help: string, value: (plan: RolePlan) => number | null): void => {
    new Gauge({
      // Processes that share a port, or a role, see the same deployment.
      ...{ name, help, labelNames: ["role"] as const, registers: [registry], aggregator: "max" as const },
      async collect() {
        const plan = await watch.plan().catch(() => null);
        this.reset();
        for (const role of plan?.roles ?? []) {
          const found = value(role);
          if (found !== null) this.set({ role: role.role }, found);
        }
      },
    });
  };
  gauge(
    "desired_workers",
    "Workers that a role shall have, by lag and forecast: docs/scaling.md",
    (one) => one.desired,
  );
  gauge("running_workers", "Workers of a role that report that they are there", (one) => one.running);
  gauge(
    "worker_capacity_per_second",
    "What one worker does a second when it has enough to do",
    (one) => one.capacity?.perWorker ?? null,
  );
  gauge(
    "scaling_forecast_error_ratio",
    "Mean error of forecasts of arrivals over their mean; they apply only while it is small",
    (one) => one.forecast.errorRatio,
  );
}
