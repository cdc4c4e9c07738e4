import { alternate, measurementsOf } from "./against-limit.ts";
import type { BenchSetting } from "./bench-setting.ts";
import { nextPath } from "./proximal-app.ts";
import type { Measurement } from "./report.ts";

/** GET /v1/learners/{id}/next of many learners, against a bare route that returns the bytes of one such answer. */
export async function benchNext({
  app,
  bare,
  generator,
  learners,
  seconds,
  rounds,
}: BenchSetting): Promise<Measurement[]> {
  const shots = Array.from({ length: learners }, (_, n) => ({ method: "GET" as const, path: nextPath(n) }));
  const order = { key: app.key, connections: 32, seconds, shots };
  const compared = await alternate(
    generator,
    { pid: app.server.pid, order: { ...order, url: app.url } },
    { pid: bare.pid, order: { ...order, url: bare.url } },
    rounds,
  );
  return measurementsOf("next item", "requests/s", compared, 0.8);
}
