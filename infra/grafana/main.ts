import { writeFile } from "node:fs/promises";
import { dashboardFiles } from "./dashboards.ts";

/** `npm run dashboards`: writes the JSON files that Grafana reads. */
for (const [path, text] of dashboardFiles()) await writeFile(new URL(path, import.meta.url), text);
