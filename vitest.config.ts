import { defineConfig } from "vitest/config";

// The file's suffix is its speed class: `.test.ts` needs no service, `.int.test.ts` starts private real engines.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{src,test,load-tests,bin}/**/*.test.ts"],
          exclude: ["**/*.int.test.ts", "**/node_modules/**", "test/architecture-fixtures/**"],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["{src,test,load-tests}/**/*.int.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          globalSetup: ["test/support/global-engines.ts"],
        },
      },
    ],
  },
});
