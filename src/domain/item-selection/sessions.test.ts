import { describe, expect, it } from "vitest";
import { type Example, now, selectionInput } from "../../../test/support/selection-inputs.ts";
import { reasonText } from "./reason-text.ts";
import { selectItems } from "./select.ts";
import type { Reason, SelectionInput } from "./selection.ts";

const select = (example: Example, input: Partial<SelectionInput> = {}) =>
  selectItems({ ...selectionInput(example), ...input }).items;

/** Five items for each of four skills, b after a after nothing; difficulties -2 to 2. */
const school: Example = {
  skills: { a: {}, b: { a: 1 }, c: {}, d: {} },
  items: Object.fromEntries(
    [..."abcd"].flatMap((skill) =>
      [-2, -1, 0, 1, 2].map((difficulty, i) => [`${skill}${i}`, { skillIds: [skill], difficulty }]),
    ),
  ),
};
const skillsOf = (list: readonly { itemId: string }[]) => list.map(({ itemId }) => itemId.charAt(0)).join("");
const due = (skillId: string, dueAt: number) => ({ skillId, itemId: null, dueAt });

describe("a review session", () => {
  it("offers what is due, most overdue first, then what falls due next", () => {
    const list = select(school, {
      sessionType: "review",
      due: [due("c", now - 5), due("a", now - 1)],
      upcoming: [due("d", now + 9)],
    });
    expect(skillsOf(list)).toBe("cad");
    expect(list.map(({ reason }) => reason.code)).toEqual(["due_review", "due_review", "upcoming_review"]);
  });

  it("is empty where there is no card, and says until when", () => {
    const input = { ...selectionInput(school), sessionType: "review" as const, nextDueAt: now + 7 };
    expect(selectItems(input)).toMatchObject({ items: [], stop: { reason: "nothing_due" }, holdsUntil: now + 7 });
  });

  it("repeats a recent item only where no card has another", () => {
    const recentItemIds = ["a0", "a1", "a2", "a3", "a4"];
    const [only] = select(school, { sessionType: "review", due: [due("a", now)], recentItemIds });
    expect(only?.itemId).toMatch(/^a/);
    const list = select(school, { sessionType: "review", due: [due("a", now), due("c", now)], recentItemIds });
    expect(skillsOf(list)).toBe("c");
  });

  it("does not ask again at once what was done last, unless it is all there is", () => {
    const items = Object.fromEntries(["a0", "a1", "c0"].map((id) => [id, { skillIds: [id.charAt(0)], difficulty: 0 }]));
    const input = { sessionType: "review" as const, due: [due("a", now), due("c", now)] };
    const list = select({ ...school, items }, { ...input, recentItemIds: ["a0", "c0", "a1"] });
    expect(list.map(({ itemId }) => itemId)).toEqual(["a1", "c0"]);
    const { a0 = { skillIds: [] } } = items;
    const only = select({ ...school, items: { a0 } }, { ...input, recentItemIds: ["a0"] });
    expect(only.map(({ itemId }) => itemId)).toEqual(["a0"]);
  });
});

describe("placement", () => {
  it("asks where the outcome is most open, spread over the skills, locked ones too", () => {
    const list = select(school, { sessionType: "placement", size: 4 });
    expect(new Set(skillsOf(list))).toEqual(new Set("abcd"));
    // sigmoid(1.4 - 1) = .60 and sigmoid(1.4 - 2) = .35: of the five, the first is nearest even odds.
    for (const { itemId, reason } of list) {
      expect(itemId).toMatch(/3$/);
      expect(reason).toEqual({ code: "most_informative", skillId: itemId.charAt(0) });
    }
  });

  it("asks first about the skills known least", () => {
    const mastery = (skillId: string) => ({ p: 0.5, sd: skillId === "c" ? 0.3 : 0.1, n: 1 });
    expect(select(school, { sessionType: "placement", size: 1, mastery })[0]?.itemId).toMatch(/^c/);
  });

  it("needs few items to place a learner: 500 items, Rasch, standard error .3, at most 46 on average", () => {
    const items = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`i${i}`, { skillIds: ["a"], difficulty: (i - 250) / 83 }]),
    );
    const base = selectionInput({ skills: { a: {} }, items });
    let asked = 0;
    const abilities = [-1.5, -0.75, 0, 0.75, 1.5];
    for (const ability of abilities) {
      const predict: SelectionInput["predict"] = (item) => 1 / (1 + Math.exp((item.difficulty ?? 0) - ability));
      let information = 0;
      let recentItemIds: string[] = [];
      while (information < 1 / 0.3 ** 2) {
        const policy = { ...base.policy, doNotRepeat: 200 };
        const [next] = selectItems({
          ...base,
          sessionType: "placement",
          policy,
          predict,
          recentItemIds,
          size: 1,
        }).items;
        if (next === undefined) throw new Error("the bank has run out");
        information += next.p * (1 - next.p);
        recentItemIds = [next.itemId, ...recentItemIds];
        asked++;
      }
    }
    expect(asked / abilities.length).toBeLessThanOrEqual(46);
  });
});

describe("a mock test", () => {
  it("takes the skills in turn and difficulties from end to end, whatever is mastered or locked", () => {
    const list = select({ ...school, mastery: { c: 0.99 } }, { sessionType: "mock_test", size: 8 });
    const order = skillsOf(list);
    expect(order.slice(0, 4)).toBe(order.slice(4));
    expect(new Set(order)).toEqual(new Set("abcd"));
    const difficulties = list.map(({ itemId }) => Number(itemId.charAt(1)));
    expect(Math.min(...difficulties)).toBeLessThanOrEqual(1);
    expect(Math.max(...difficulties)).toBeGreaterThanOrEqual(3);
  });

  it("of fewer items than skills covers skills at even distances", () => {
    const skills = Object.fromEntries(Array.from({ length: 26 }, (_, i) => [String.fromCharCode(97 + i), {}]));
    const items = Object.fromEntries(Object.keys(skills).map((id) => [`${id}0`, { skillIds: [id] }]));
    const list = select({ skills, items }, { sessionType: "mock_test", size: 4 });
    expect(skillsOf(list)).toBe("agnt");
  });

  it("taken one item at a time covers the skills as evenly as a whole list does", () => {
    let recentItemIds: string[] = [];
    for (let asked = 0; asked < 12; asked++) {
      const [next] = select(school, { sessionType: "mock_test", recentItemIds, size: 1 });
      if (next === undefined) throw new Error("the bank has run out");
      recentItemIds = [next.itemId, ...recentItemIds];
    }
    const skills = recentItemIds.map((itemId) => itemId.charAt(0)).sort();
    expect(skills.join("")).toBe("aaabbbcccddd");
    expect(new Set(recentItemIds).size).toBe(12);
  });
});

describe("onlySkillIds", () => {
  it("keeps to the skills named, in every session", () => {
    for (const sessionType of ["practice", "review", "placement", "mock_test"] as const) {
      const cards = [due("a", now), due("c", now)];
      const list = select(school, { sessionType, onlySkillIds: ["c"], due: cards, size: 5 });
      expect(new Set(skillsOf(list)), sessionType).toEqual(new Set("c"));
    }
    expect(select(school, { onlySkillIds: ["b"] })).toEqual([]);
    expect(select(school, { onlySkillIds: ["nothing"] })).toEqual([]);
  });
});

describe("reasonText", () => {
  const title = (id: string) => (id === "f" ? "Fractions" : id);
  it.each<[Reason, string]>([
    [{ code: "pinned" }, "Chosen by a teacher"],
    [{ code: "due_review", skillId: "f", dueAt: 1 }, "Due review of Fractions"],
    [{ code: "due_review", skillId: null, dueAt: 1 }, "Due for review"],
    [{ code: "upcoming_review", skillId: "f", dueAt: 1 }, "Review of Fractions ahead of time"],
    [{ code: "open_skill", skillId: "f", mastery: 0.62 }, "Fractions is open and at 62 % mastery"],
    [{ code: "open_skill", skillId: "f", mastery: 0.29 }, "Fractions is open and at 29 % mastery"],
    [{ code: "open_skill", skillId: "f", mastery: 0.9999 }, "Fractions is open and at 99 % mastery"],
    [{ code: "near_target" }, "About as hard as this track aims at"],
    [{ code: "exploration", skillId: "f" }, "Tried at random from what is open, to learn what works: Fractions"],
    [{ code: "maintenance", skillId: "f", mastery: 0.97 }, "Fractions is mastered (97 %): to keep it fresh"],
    [{ code: "most_informative", skillId: "f" }, "Tells most about what you know of Fractions"],
    [{ code: "topic_coverage", skillId: "f" }, "Covers Fractions"],
    [{ code: "popular", learners: 12 }, "Popular with new learners (12 learners)"],
  ])("%o", (reason, text) => {
    expect(reasonText(reason, title)).toBe(text);
  });
});
