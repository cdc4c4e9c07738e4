import { expect, test } from "vitest";
import { isPublicationDue } from "./publication.ts";

function versionsAfter(answers: number): number[] {
  const published: number[] = [];
  for (let n = 1; n <= answers; n++) if (isPublicationDue(n, published.at(-1) ?? 0)) published.push(n);
  return published;
}

test("each hundred answers at first, then each fiftieth part", () => {
  const versions = versionsAfter(1_000_000);
  expect(versions.slice(0, 4)).toEqual([100, 200, 300, 400]);
  const last = versions.at(-1) ?? 0;
  const before = versions.at(-2) ?? 0;
  expect((last - before) / last).toBeCloseTo(0.02, 3);
});

test("the number of versions grows with the logarithm of the answers", () => {
  expect(versionsAfter(1_000_000).length).toBeLessThan(350);
  expect(versionsAfter(1_000_000).length - versionsAfter(100_000).length).toBeLessThan(120);
});
