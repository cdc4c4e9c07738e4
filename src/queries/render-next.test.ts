import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SelectedItem } from "../domain/item-selection/selection.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import { createItemJson } from "./item-json.ts";
import { type NextAnswer, renderNext } from "./render-next.ts";
import { finish, toSendAgain } from "./rendered.ts";
import { propensityJson } from "./short-numbers.ts";
import { shownOf } from "./shown-items.ts";

function itemJsonOf(titles: readonly string[]) {
  const items = new Map(
    titles.map((title, n) => [`i-${n}`, { itemId: `i-${n}`, title, kind: "exercise", skillIds: ["ß"] }]),
  );
  const catalogue = { items, skills: new Map([["ß", { title: "Größen “vergleichen”" }]]) };
  return createItemJson({ version: 1, catalogue } as unknown as CatalogueReader);
}

const item = (n: number, share: number): SelectedItem => ({
  ...{ itemId: `i-${n}`, p: share, score: 1 - share, propensity: share === 0 ? 1 : share },
  reason: { code: "open_skill", skillId: "ß", mastery: share, ...(n % 2 === 0 ? {} : { rules: ["do_not_repeat"] }) },
});

const answerOf = (learnerId: string, items: readonly SelectedItem[], more: Partial<NextAnswer> = {}): NextAnswer => ({
  ...{ learnerId, source: "personal", computed: "precomputed", trackId: "tö", sessionType: "practice" },
  ...{ policyVersion: "3", arm: null, model: "lr-full", modelVersion: 2, revision: 7, position: 2 ** 33, at: 1_000 },
  ...{ holdsUntil: null, stop: null, items: () => items },
  selection: { size: 30, items: () => items, cut: false, skillIds: null },
  ...more,
});

describe("the words of a list", () => {
  test("are JSON that says what the list does, of as many bytes as it says, sent once or again", () => {
    const titles = fc.array(fc.string({ unit: "grapheme", maxLength: 12 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        titles,
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
        fc.nat(10_000),
        (all, id, n) => {
          const items = all.map((_, at) => item(at, ((n + at * 977) % 10_001) / 10_000));
          const made = renderNext(answerOf(id, items), shownOf(items, itemJsonOf(all)), 0);
          const sent = finish(made, 4_000, null);
          const json = JSON.parse(sent.texts.join(""));
          expect(json).toMatchObject({
            learnerId: id,
            trackId: "tö",
            revision: 7,
            position: 2 ** 33,
            ageMs: 3_000,
            stop: null,
          });
          expect(json.selectionId).toMatch(/^[0-9a-f]{24}$/);
          expect(
            json.items.map(({ itemId, title, p, score, propensity, reason }: Record<string, { mastery: number }>) => [
              ...[itemId, title, p, score, propensity, reason?.mastery],
            ]),
          ).toEqual(items.map((one, at) => [one.itemId, all[at], one.p, one.score, one.propensity, one.p]));
          expect(sent.bytes).toBe(Buffer.byteLength(sent.texts.join("")));
          const again = finish(toSendAgain(made), 4_000, null);
          expect(again.inPieces).toBe(true);
          expect([again.texts.join(""), again.bytes, again.etag]).toEqual([sent.texts.join(""), sent.bytes, sent.etag]);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("have another tag where they say anything else, and the same where they do not", () => {
    const titles = ["Zählen", "Teilen"];
    const items = [item(0, 0.25), item(1, 0.75)];
    const tagOf = (answer: NextAnswer, all = titles, sum = 0) =>
      renderNext(answer, shownOf(answer.items(), itemJsonOf(all)), sum).etag;
    const tags = [
      tagOf(answerOf("ada", items)),
      tagOf(answerOf("bea", items)),
      tagOf(answerOf("ada", [...items].reverse())),
      tagOf(answerOf("ada", [item(0, 0.26), item(1, 0.75)])),
      tagOf(answerOf("ada", items), ["Zahlen", "Teilen"]),
      tagOf(answerOf("ada", items, { position: 2 ** 34 })),
      tagOf(answerOf("ada", items), titles, 5),
      tagOf(answerOf("ada", items), titles, 6),
      tagOf(answerOf("ada", items, { policyVersion: "4" })),
      tagOf(answerOf("ada", items, { at: 1_001 })),
    ];
    expect(new Set(tags).size).toBe(tags.length);
    expect(tagOf(answerOf("ada", items))).toBe(tags[0]);
  });

  test("write a propensity as JavaScript does: all of six places, and any other number", () => {
    const wrong: number[] = [];
    for (let number = 0; number <= 1_000_000; number += 1) {
      if (propensityJson(number / 1e6) !== String(number / 1e6)) wrong.push(number);
    }
    expect(wrong).toEqual([]);
    fc.assert(fc.property(fc.double(), (value) => propensityJson(value) === String(value)));
  });

  test("name the list by what makes it: no two of 20,000 lists of a learner alike, and a tenth of them chosen for a tenth", () => {
    const itemJson = itemJsonOf(["a", "b", "c"]);
    const ids = new Set<string>();
    let chosen = 0;
    for (let revision = 1; revision <= 10_000; revision += 1) {
      for (const items of [[item(0, 0.5)], [item(1, 0.5), item(2, 0.5)]]) {
        const made = renderNext(
          answerOf("ada", items, { revision, position: revision * 3, at: revision }),
          shownOf(items, itemJson),
          0,
          0.1,
        );
        ids.add(/"selectionId":"(\w+)"/.exec(made.afterAge)?.[1] ?? "");
        if (made.toRecord !== null) chosen += 1;
      }
    }
    expect(ids.size).toBe(20_000);
    // Four standard deviations of a binomial draw.
    expect(Math.abs(chosen - 2_000)).toBeLessThan(170);
  });
});
