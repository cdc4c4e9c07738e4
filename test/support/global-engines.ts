import type { TestProject } from "vitest/node";
import { startPostgres } from "./postgres.ts";

/** Vitest's global set-up of the integration tests: one PostgreSQL for all files of the run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  project.provide("postgres", "skip" in server ? { skip: server.skip } : { url: server.url });
  return async () => {
    if (!("skip" in server)) await server.stop();
  };
}
