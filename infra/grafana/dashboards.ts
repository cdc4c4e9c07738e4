import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { caches } from "./caches.ts";
import { capacity } from "./capacity.ts";
import { jobs } from "./jobs.ts";
import { pipeline } from "./pipeline.ts";
import { postgres } from "./postgres.ts";
import { service } from "./service.ts";

/** One for each kind of user. */
export const dashboards = { service, pipeline, caches, postgres, jobs, capacity } satisfies Record<string, Dashboard>;

/** Path from this folder, and text, of each file that Grafana reads. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  const files = Object.entries(dashboards).map(
    ([name, dashboard]) => [`dashboards/${name}.json`, `${JSON.stringify(dashboard, null, 2)}\n`] as const,
  );
  return new Map(files);
}
