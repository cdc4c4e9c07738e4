import type { BenchResult, CaseResult } from "./result.ts";

/** Runs as the bench keeps them, for tests. */
export function benchRun(cases: readonly CaseResult[], more: Partial<BenchResult> = {}): BenchResult {
  return {
    at: "2026-01-01T00:00:00.000Z",
    command: "npm run bench --",
    scale: "full",
    machine: {
      ...{
        cores: 2,
        cpu: "AMD EPYC",
        memory_gb: 8,
        system: "Linux",
        node: "v24.0.0",
        postgres: "15.1",
        redis: "7.0.1",
      },
      ...{ load_average: 0.1, commit: "0123456789abcdef", dirty: false },
    },
    cases: [...cases],
    ...more,
  };
}

/** A round for each pair of ratios. */
export function caseWith(name: string, ratios: readonly number[], byCpu: readonly number[]): CaseResult {
  return {
    ...{ name, title: `case ${name}`, limit: "bare route", unit: "requests/s", better: "higher" },
    ...{ target: { ratio: 0.8, by: "figure" }, seconds: 3, parameters: {} },
    rounds: ratios.map((ratio, n) => ({
      ours: { figure: 30_000 * ratio, cpuUs: 30 / (byCpu[n] ?? 1) },
      limit: { figure: 30_000, cpuUs: 30 },
    })),
  };
}
