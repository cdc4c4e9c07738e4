import { expect, test } from "vitest";
import type { Fired } from "../../infra/prometheus/start.ts";
import { verdictOf } from "./watch-alerts.ts";

const alert = (name: string, state: Fired["state"]): Fired => ({ alert: name, state, labels: { partition: "0" } });

test("an alert that fired is a threshold missed; what was pending is told", () => {
  expect(verdictOf([])).toMatchObject({ value: "none", met: true });
  expect(verdictOf([alert("EngineSlow", "pending"), alert("EngineSlow", "pending")])).toEqual({
    ...{ name: "alerts of Prometheus", limit: "none fires", met: true },
    value: "none (pending at times: EngineSlow)",
  });
  expect(
    verdictOf([alert("PoolFull", "firing"), alert("DiskFull", "firing"), alert("PoolFull", "firing")]),
  ).toMatchObject({
    ...{ value: "PoolFull, DiskFull", met: false },
  });
});
