export type { ServerDeps, ServerOptions } from "./server-deps.ts";
