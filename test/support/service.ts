import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { onTestFinished } from "vitest";
import { loadConfig } from "../../src/app/config.ts";
import { createLifecycle } from "../../src/app/lifecycle.ts";
import { createLogger } from "../../src/app/observability/logging.ts";
import { openTraces } from "../../src/app/observability/traces.ts";
import { startService } from "../../src/app/service.ts";

export interface ServiceHere {
  /** GET, or POST of a body, with the key of the start unless the headers say otherwise. */
  call(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Everything logged so far. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Idempotent; it is stopped after the test anyway. */
  stop(): Promise<unknown>;
}

/** A process of Proximal in this one, wired as `serve` wires it, on a free port. Embedded engines where the settings name no others. */
export async function serviceHere(
  environment: Readonly<Record<string, string>> = {},
  givenKey?: string,
): Promise<ServiceHere> {
  const folder = mkdtempSync(join(tmpdir(), "proximal-service-"));
  const { config } = loadConfig({ PROXIMAL_DATA: folder, PORT: "0", PROXIMAL_DRAIN_MS: "0", ...environment });
  const lines: Record<string, unknown>[] = [];
  const output = new Writable({
    write(line, _encoding, done) {
      lines.push(JSON.parse(String(line)));
      done();
    },
  });
  const traces = await openTraces(config);
  const log = createLogger({ ...config, logFormat: "json" }, output, traces?.tracing.logFields);
  const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
  onTestFinished(async () => {
    await life.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const { url, key } = await startService(config, life, log, { traces });
  return {
    call: (path, body, headers = {}) =>
      fetch(`${url}${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: {
          authorization: `Bearer ${givenKey ?? key}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    lines,
    stop: life.stop,
  };
}
