import { type ProcessReport, processReportSchema } from "../../domain/scaling/process-report.ts";
import type { Presence } from "../../ports/presence.ts";

export type PresentProcess = ProcessReport & { readonly id: string };

/** The processes that are there, and what each says of itself. What is not understood is of a later version: it is passed over. */
export async function presentProcesses(presence: Pick<Presence, "present">): Promise<PresentProcess[]> {
  return (await presence.present()).flatMap(({ id, said }) => {
    const parsed = processReportSchema.safeParse(said);
    return parsed.success ? [{ id, ...parsed.data }] : [];
  });
}
