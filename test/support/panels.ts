import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { z } from "zod";

export interface PanelSeen {
  readonly id: number;
  /** Title of the row it is in. */
  readonly row: string;
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly queries: readonly string[];
}

const panelSchema = z.object({
  id: z.number(),
  type: z.string(),
  title: z.string(),
  description: z.string().default(""),
  fieldConfig: z.object({ defaults: z.object({ unit: z.string() }) }).optional(),
  targets: z.array(z.object({ expr: z.string(), refId: z.string() })).default([]),
});

/** The panels of a dashboard as Grafana reads them. */
export function panelsOf({ panels }: Dashboard): readonly PanelSeen[] {
  let row = "";
  return z
    .array(panelSchema)
    .parse(JSON.parse(JSON.stringify(panels)))
    .flatMap(({ type, targets, fieldConfig, ...panel }) => {
      if (type === "row") row = panel.title;
      if (type === "row") return [];
      return [{ ...panel, row, unit: fieldConfig?.defaults.unit ?? "", queries: targets.map(({ expr }) => expr) }];
    });
}
