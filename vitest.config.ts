import { defineConfig } from "vitest/config";

// The file's suffix is its speed class: `.test.ts` needs no service, `.int.test.ts` starts private real engines
// (PostgreSQL, Redis) and skips, saying why, where they are not installed; PROXIMAL_REQUIRE_ENGINES=1 makes that a
// failure. Test machines are shared and slow: limits are generous, tests wait for facts and not for time.
const exclude = ["**/node_modules/**", "test/architecture-fixtures/**"];
const execArgv = ["--disable-warning=ExperimentalWarning"];
const limits = { testTimeout: 180_000, hookTimeout: 180_000, expect: { poll: { timeout: 30_000 } } };

// Those of `.int.test.ts` that measure how long something takes, or how much is done in a time: another file at work
// beside them would be measured too. They run one at a time, after all others.
const alone = [
  "load-tests/*.int.test.ts",
  "src/adapters/event-store/postgres/{migration-under-load,replica,trouble}.int.test.ts",
  "test/alerts.int.test.ts",
  "test/e2e/{ndjson-memory,overload,up}.int.test.ts",
  "test/faults/{breakers,redis-reads}.int.test.ts",
];

const common = { ...limits, execArgv, setupFiles: ["test/support/compile-cache.ts"] };
const integration = { ...common, globalSetup: ["test/support/global-engines.ts"] };

export default defineConfig({
  test: {
    // Of two cores vitest would take one. Files with engines go first: they mostly wait, and those without fill the end.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["{src,test,load-tests,bin,console}/**/*.test.ts"],
          exclude: ["**/*.int.test.ts", ...exclude],
          ...common,
        },
      },
      {
        test: {
          name: "integration",
          include: ["{src,test,load-tests,console}/**/*.int.test.ts"],
          exclude: [...alone, ...exclude],
          ...integration,
        },
      },
      {
        test: {
          name: "alone",
          include: alone,
          exclude,
          ...integration,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
