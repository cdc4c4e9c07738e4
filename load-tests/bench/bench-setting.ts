import type { NodeProcess } from "./processes.ts";
import type { App } from "./proximal-app.ts";

/** What every case of the bench is given. */
export interface BenchSetting {
  readonly app: App;
  /** The bare Fastify server, see bare-server.ts. */
  readonly bare: { readonly url: string; readonly pid: number };
  /** See load-generator.ts. */
  readonly generator: NodeProcess;
  /** Learners with a history. */
  readonly learners: number;
  readonly seconds: number;
  readonly rounds: number;
}
