import { z } from "zod";
import { scaledRoles } from "./observation.ts";

/** What a process of a deployment says of itself every few seconds. */
export const processReportSchema = z.object({
  role: z.enum(["all", ...scaledRoles]),
  host: z.string(),
  pid: z.number().int(),
  /** Of Proximal; one that says none is older than that. */
  version: z.string().optional(),
  /** ISO 8601. */
  startedAt: z.string(),
  /** Share of the last seconds in which its thread was at work. */
  busyShare: z.number().min(0).max(1),
  requestsPerSecond: z.number().min(0),
  /** Partitions that it folds now. */
  partitions: z.array(z.number().int()),
  /** Learners that it has set aside. */
  parked: z.number().int(),
  /** Statements that wait for a connection. */
  poolWaiting: z.number().int(),
});

export type ProcessReport = z.infer<typeof processReportSchema>;

/** A process of role all is one worker of each of these. */
const rolesOfAll: ReadonlySet<string> = new Set(["api", "projector", "jobs", "trainer"]);

export const worksAs = (report: Pick<ProcessReport, "role">, role: string): boolean =>
  report.role === role || (report.role === "all" && rolesOfAll.has(role));
