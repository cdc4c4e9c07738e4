// Adds up vitest's JSON report and prints "N passed, N failed, N skipped", alone on the last line.
// Usage: node .ci/summary.js REPORT [FAILED_STEP...]; a step that failed outside the tests counts as one failed.

import { readFileSync } from "node:fs";

const [report = "", ...failedSteps] = process.argv.slice(2);

/** @returns {{ passed: number, failed: number, skipped: number }} */
function counts() {
  try {
    const json = JSON.parse(readFileSync(report, "utf8"));
    // A file that does not load has no tests to fail: it counts as one.
    const broken = json.testResults.filter(
      (/** @type {{ status: string, assertionResults: unknown[] }} */ file) =>
        file.status === "failed" && file.assertionResults.length === 0,
    ).length;
    return {
      passed: json.numPassedTests,
      failed: json.numFailedTests + broken,
      skipped: json.numPendingTests + json.numTodoTests,
    };
  } catch (error) {
    console.log(`no test report: ${error instanceof Error ? error.message : error}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

const { passed, failed, skipped } = counts();
// The step "tests" is counted by its tests, unless it failed without one of them failing.
const others = failedSteps.filter((step) => step !== "tests" || failed === 0);
for (const step of failedSteps) console.log(`failed: ${step}`);
console.log(`${passed} passed, ${failed + others.length} failed, ${skipped} skipped`);
