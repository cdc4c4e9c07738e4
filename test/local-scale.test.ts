import { expect, test } from "vitest";
import { processNames, roleOf } from "../infra/local/roles.ts";
import { wantedWorkers } from "../infra/local/scale.ts";
import { changesOf } from "../src/app/cli/scale/plan-lines.ts";
import type { ScalingPlan } from "../src/queries/scaling/scaling-watch.ts";

test("a stack has one process of each role, and of those that were scaled as many as are wanted", () => {
  expect(processNames({ size: "small", workers: {} })).toEqual(["all"]);
  const names = processNames({ size: "full", workers: { projector: 3 } });
  expect(names).toEqual(["relay", "projector", "projector-2", "projector-3", "trainer", "jobs", "query", "api"]);
  expect(names.map(roleOf)).not.toContain(null);
  expect(["redis-jobs", "redis", "kafka", "projector-x"].map(roleOf)).toEqual([null, null, null, null]);
});

test("npm run scale takes ROLE=NUMBER, of roles that more of would help", () => {
  expect(wantedWorkers(["projector=3", "jobs=2"])).toEqual(
    new Map([
      ["projector", 3],
      ["jobs", 2],
    ]),
  );
  for (const [wrong, says] of [
    ["trainer=2", "the role one of projector, api, query, jobs"],
    ["projector", "give ROLE=NUMBER"],
    ["projector=0", "from 1 to 4"],
    ["projector=5", "from 1 to 4"],
  ] as const) {
    expect(() => wantedWorkers([wrong])).toThrow(says);
  }
  expect(() => wantedWorkers([])).toThrow("which role, and how many?");
});

test("what a plan would change: not relay and trainer, and nothing where one process does all", () => {
  const role = (name: string, running: number, desired: number) => ({ role: name, running, desired });
  const plan = {
    roles: [role("api", 1, 1), role("projector", 1, 4), role("jobs", 3, 1), role("relay", 2, 1), role("trainer", 0, 1)],
    processes: [{ role: "projector" }],
  } as unknown as ScalingPlan;
  expect(changesOf(plan)).toEqual(["projector=4", "jobs=1"]);
  expect(changesOf({ ...plan, processes: [{ role: "all" }] } as unknown as ScalingPlan)).toEqual([]);
});
