import { z } from "zod";
import { processReportSchema } from "../../domain/scaling/process-report.ts";
import { scopes } from "../../ports/api-keys.ts";
import { presentProcesses } from "../../queries/scaling/present-processes.ts";
import { problemResponses } from "../schemas.ts";
import type { App, OperatorServices } from "../services.ts";

const workersSchema = z.object({ workers: z.array(processReportSchema.extend({ id: z.string() })) });
const keySchema = z.object({
  keyId: z.string().describe("The public part of the key"),
  scopes: z.array(z.enum(scopes)),
});

export type WorkersAnswer = z.output<typeof workersSchema>;
export type KeyAnswer = z.output<typeof keySchema>;

/** Who runs, and who asks. */
export function processRoutes(app: App, { deps }: OperatorServices): void {
  app.route({
    method: "GET",
    url: "/v1/ops/workers",
    config: { scopes: ["operator"] },
    schema: {
      tags: ["operators"],
      summary: "The processes of this deployment, and which of them owns which partitions",
      response: { 200: workersSchema, ...problemResponses },
    },
    handler: async () => ({ workers: await presentProcesses(deps.presence) }),
  });

  app.route({
    method: "GET",
    url: "/v1/key",
    // Looked at when a key is set up; nothing is read for it.
    config: { scopes, load: () => null },
    schema: {
      tags: ["operators"],
      summary: "What the key of this request may do",
      response: { 200: keySchema, ...problemResponses },
    },
    async handler({ caller }) {
      return { keyId: caller?.keyId ?? "", scopes: scopes.filter((scope) => caller?.scopes.has(scope)) };
    },
  });
}
