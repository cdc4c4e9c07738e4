import { describe, expect, test } from "vitest";
import { measure } from "../../domain/learner-model/metrics.ts";
import type { EvaluationResult } from "./model.ts";
import { publishedResults } from "./published.ts";
import { renderEvaluationHtml, renderEvaluationText } from "./report.ts";

const result: EvaluationResult = {
  model: "lr-full",
  protocol: "prequential",
  seed: 42,
  order: "merged_at_random",
  split: null,
  snapshotEveryAnswers: null,
  answersRead: 1_234_567,
  learners: 3,
  items: 4,
  skills: 5,
  metrics: measure(Float64Array.of(0.9, 0.6, 0.3, 0.2), Uint8Array.of(1, 0, 1, 0)),
  baselines: [
    { name: "global mean", metrics: measure(Float64Array.of(0.5, 0.5, 0.5, 0.5), Uint8Array.of(1, 0, 1, 0)) },
  ],
  readMs: 1_500,
  modelMs: 2_500,
  modelCpuMs: 2_000,
  stateBytes: 2_345,
  answersPerSecond: 617_283.5,
};

describe("as text", () => {
  const text = renderEvaluationText(result, publishedResults);

  test("gives every figure, and says what the speed is of", () => {
    expect(text).toMatch(/AUC +0\.7500/);
    expect(text).toMatch(/accuracy +0\.5000/);
    expect(text).toMatch(/RMSE +0\.4743/);
    expect(text).toMatch(/log loss +0\.6122/);
    expect(text).toMatch(/ECE +0\.4000/);
    expect(text).toMatch(
      /events\/s +617,284 +model loop, in memory: 1,234,567 answers in 2\.00 s of one core, 2\.50 s by the clock; reading them took 1\.50 s/,
    );
    expect(text).toMatch(/state +2,345 +bytes stored of a learner after 2,000 answers on 500 items and 50 skills/);
  });

  test("stands beside what needs no model, and says which bins came true", () => {
    expect(text).toMatch(/global mean +0\.5000 +0\.5000 +0\.5000 +0\.6931 +0\.0000/);
    expect(text).toMatch(/predicted +answers +mean p +correct +came true/);
    expect(text).toMatch(/0\.9 to 1\.0 +1 +0\.900 +1\.000 +yes/);
  });

  test("says how the log was run", () => {
    expect(text).toContain("1,234,567 answers of 3 learners on 4 items and 5 skills.");
    expect(text).toContain("learners merged at random (seed 42)");
    expect(text).toContain("Prequential");
  });

  test("stands beside the published table, and says when the protocol differs", () => {
    expect(text).toMatch(/Best-LR +0\.77 +0\.70 +0\.71 +0\.80 +0\.83 +0\.86 +0\.82/);
    expect(text).toContain("This run is prequential, not frozen");
    const frozen: EvaluationResult = { ...result, protocol: "frozen", split: "at_random" };
    expect(renderEvaluationText(frozen, publishedResults)).not.toContain("compare with care");
    expect(renderEvaluationText(frozen, publishedResults)).toContain("80/20 by learner at random, seed 42");
  });

  test("an AUC that is not defined is called so", () => {
    const metrics = measure(Float64Array.of(0.9), Uint8Array.of(1));
    expect(renderEvaluationText({ ...result, metrics }, publishedResults)).toMatch(/AUC +not defined/);
  });
});

describe("as HTML", () => {
  const html = renderEvaluationHtml(result, publishedResults, `<b>"logs" & more</b>.csv`);

  test("needs nothing from elsewhere, and runs nothing", () => {
    expect(html.replaceAll('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
      /https?:|src=|href="[^#]|<script|@import|url\(/,
    );
  });

  test("escapes what it is given", () => {
    expect(html).not.toContain("<b>");
    expect(html).toContain("&lt;b&gt;&quot;logs&quot; &amp; more&lt;/b&gt;.csv");
  });

  test("draws a point and a bar for each bin that has answers, with words for who cannot see them", () => {
    expect(html.match(/<circle /g)).toHaveLength(4);
    expect(html.match(/<rect class="bar /g)).toHaveLength(10);
    expect(html).toContain('role="img" aria-label="Calibration plot. Share of correct answers');
    expect(html).toContain("1 answers: predicted 0.900, correct 1.000");
  });

  test("every element that is opened is closed", () => {
    const open: string[] = [];
    for (const [, end, name = "", own] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/g)) {
      if (name === "meta" || own === "/") continue;
      if (end === "/") expect(open.pop()).toBe(name);
      else open.push(name);
    }
    expect(open).toEqual([]);
  });

  test("is light and dark", () => {
    expect(html).toContain("prefers-color-scheme: dark");
  });
});
