import { defineConfig } from "vitest/config";

// The file's suffix is its speed class: `.test.ts` needs no service, `.int.test.ts` starts private real engines
// (PostgreSQL, Redis) and skips, saying why, where they are not installed; PROXIMAL_REQUIRE_ENGINES=1 makes that a
// failure. Test machines are shared and slow: limits are generous, tests wait for facts and not for time.
const exclude = ["**/node_modules/**", "test/architecture-fixtures/**"];
const execArgv = ["--disable-warning=ExperimentalWarning"];
const limits = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 30_000 } } };

export default defineConfig({
  test: {
    // Of two cores vitest would take one.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["{src,test,load-tests,bin,console}/**/*.test.ts"],
          exclude: ["**/*.int.test.ts", ...exclude],
          ...limits,
          execArgv,
        },
      },
      {
        test: {
          name: "integration",
          include: ["{src,test,load-tests,console}/**/*.int.test.ts"],
          exclude,
          globalSetup: ["test/support/global-engines.ts"],
          ...limits,
          fileParallelism: false,
          execArgv,
        },
      },
    ],
  },
});
