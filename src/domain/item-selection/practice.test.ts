import { describe, expect, it } from "vitest";
import { type Example, now, selectionInput } from "../../../test/support/selection-inputs.ts";
import type { Policy } from "../events.ts";
import { selectItems } from "./select.ts";
import type { SelectionInput } from "./selection.ts";

/** `count` items for each skill: a0, a1, ..., all with success p (.8). */
const itemsOf = (skills: string, count: number, p = 0.8): Example["items"] =>
  Object.fromEntries(
    [...skills].flatMap((skill) => Array.from({ length: count }, (_, i) => [`${skill}${i}`, { skillIds: [skill], p }])),
  );
const select = (example: Example, input: Partial<SelectionInput> = {}) =>
  selectItems({ ...selectionInput(example), ...input }).items;
const ids = (list: readonly { itemId: string }[]) => list.map(({ itemId }) => itemId);
const skillsOf = (list: readonly { itemId: string }[]) => list.map(({ itemId }) => itemId.charAt(0)).join("");

const chain = { a: {}, b: { a: 1 }, c: { b: 1 } };

describe("the frontier", () => {
  it("opens a skill when its prerequisites are held", () => {
    const items = itemsOf("abc", 3);
    expect(new Set(skillsOf(select({ skills: chain, items, mastery: { a: 0.5 } })))).toEqual(new Set("a"));
    expect(new Set(skillsOf(select({ skills: chain, items, mastery: { a: 0.85, b: 0.2 } })))).toEqual(new Set("ab"));
  });

  it("asks of a prerequisite its weight of the threshold", () => {
    const example = { skills: { a: {}, b: { a: 0.5 } }, items: itemsOf("ab", 2) };
    expect(skillsOf(select({ ...example, mastery: { a: 0.39 } }))).not.toContain("b");
    expect(skillsOf(select({ ...example, mastery: { a: 0.4 } }))).toContain("b");
  });

  it("puts shallow skills before deep ones, then the one nearest to mastery", () => {
    const skills = { a: {}, b: {}, c: { a: 1 } };
    const example = { skills, items: itemsOf("abc", 1), mastery: { a: 0.85, b: 0.3, c: 0.94 } };
    expect(skillsOf(select(example))).toBe("abc");
    expect(skillsOf(select({ ...example, mastery: { a: 0.85, b: 0.9, c: 0.94 } }))).toBe("bac");
  });

  it("mixes three open skills, and takes a fourth only where their items run out", () => {
    const example = { skills: { a: {}, b: {}, c: {}, d: {} }, mastery: { a: 0.6, b: 0.5, c: 0.4, d: 0.3 } };
    expect(skillsOf(select({ ...example, items: itemsOf("abcd", 5) }, { size: 9 }))).toBe("abcabcabc");
    expect(skillsOf(select({ ...example, items: itemsOf("abcd", 2) }, { size: 9 }))).toBe("abcdabcd");
  });

  it("goes on with another skill than that of the last items done", () => {
    const example = { skills: { a: {}, b: {}, c: {} }, items: itemsOf("abc", 5), mastery: { a: 0.6, b: 0.5, c: 0.4 } };
    expect(skillsOf(select(example, { recentItemIds: ["a0"], size: 1 }))).toBe("b");
    expect(skillsOf(select(example, { recentItemIds: ["b0", "a0"], size: 1 }))).toBe("c");
  });

  it("opens a mastered skill again once it lapsed, before what builds on it, and says so", () => {
    const example = { skills: chain, items: itemsOf("abc", 5), mastery: { a: 0.99, b: 0.5 } };
    const lapsing = (lapsesAt: number, recallMin = 0.8) => {
      const policy = { masteryNeeds: { answersMin: 0, hardAnswersMin: 0, pMax: 0.85, recallMin } };
      const input = selectionInput({ ...example, policy });
      const mastery: SelectionInput["mastery"] = (id) => ({
        ...input.mastery(id),
        ...(id === "a" ? { lapsesAt } : {}),
      });
      return selectItems({ ...input, mastery, size: 1 }).items[0];
    };
    expect(lapsing(now + 1)?.reason).toEqual({ code: "open_skill", skillId: "b", mastery: 0.5 });
    const rules = ["mastery_recall"];
    expect(lapsing(now)?.reason).toEqual({ code: "open_skill", skillId: "a", mastery: 0.99, rules });
    expect(lapsing(now, 0)?.itemId).toMatch(/^b/);
  });

  it("chooses the items nearest the target success, from 200 too", () => {
    const items = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`a${i}`, { skillIds: ["a"], difficulty: i / 50 - 2 }]),
    );
    const input = selectionInput({ skills: { a: {} }, items, input: { size: 8 } });
    const nearest = [...input.bank.items.values()]
      .map((item) => ({ itemId: item.itemId, off: Math.abs(input.predict(item) - 0.8) }))
      .sort((x, y) => x.off - y.off)
      .slice(0, 8);
    expect(ids(selectItems(input).items)).toEqual(ids(nearest));
  });

  it("aims no higher than the success of the skill's typical item", () => {
    const first = (success: number) => {
      const items = Object.fromEntries(
        Array.from({ length: 9 }, (_, i) => [`a${i}`, { skillIds: ["a"], difficulty: i, p: success - i / 20 }]),
      );
      return ids(select({ skills: { a: {} }, items }, { size: 1 }));
    };
    expect(first(0.9)).toEqual(["a4"]);
    expect(first(1.15)).toEqual(["a7"]);
  });

  it("starts with the easiest where predictions tell nothing yet", () => {
    const items = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`a${i}`, { skillIds: ["a"], difficulty: i / 50 - 2, p: 0.9 }]),
    );
    expect(ids(select({ skills: { a: {} }, items }, { size: 3 }))).toEqual(["a0", "a1", "a2"]);
  });
});

describe("pins", () => {
  it("come first, in the teacher's order, unless locked or done recently", () => {
    const example = { skills: chain, items: itemsOf("ab", 4), pinned: ["a3", "b0", "a1", "a2"] };
    expect(ids(select(example, { size: 3, recentItemIds: ["a1"] }))).toEqual(["a3", "a2", "a0"]);
  });
});

describe("reviews in practice", () => {
  const example: Example = {
    skills: { a: {}, b: {}, c: {}, d: {} },
    items: { ...itemsOf("a", 20), ...itemsOf("bcd", 20, 0.5) },
    mastery: { b: 0.99, c: 0.97, d: 0.98 },
  };
  const due = ["b", "c", "d"].map((skillId, i) => ({ skillId, itemId: null, dueAt: now - 100 + i }));

  it("stand in between at their share, most overdue first", () => {
    const list = select(example, { due, size: 10 });
    expect(skillsOf(list)).toBe("aaabaacaad");
    expect(list[3]?.reason).toEqual({ code: "due_review", skillId: "b", dueAt: now - 100 });
  });

  it("are at most their share of the list also after a long stretch without any", () => {
    const recentItemIds = Array.from({ length: 10 }, (_, i) => `a${i}`);
    const cards = [...due, ...due].map((card, i) => ({ ...card, dueAt: now - 50 + i }));
    expect(skillsOf(select(example, { due: cards, recentItemIds, size: 10 }))).toBe("baacaadaaa");
  });

  it("keep their share of what is done, for a learner who always does the first item", () => {
    const cards = ["b", "c", "d"];
    let recent = Array.from({ length: 10 }, (_, i) => `a${i}`);
    let reviews = 0;
    let last = Number.NEGATIVE_INFINITY;
    for (let step = 0; step < 100; step++) {
      const always = cards.map((skillId) => ({ skillId, itemId: null, dueAt: now - 1 }));
      const [first] = select(example, { due: always, recentItemIds: recent, size: 1 });
      if (first?.reason.code === "due_review") {
        reviews++;
        expect(step - last).toBeGreaterThanOrEqual(3);
        last = step;
        cards.push(cards.shift() ?? "b");
      }
      recent = [first?.itemId ?? "", ...recent].slice(0, 30);
    }
    expect(reviews).toBeGreaterThanOrEqual(25);
    expect(reviews).toBeLessThanOrEqual(30);
  });

  it("wait while skills are open and success is expected, but not for ever", () => {
    const sure = { ...example, items: itemsOf("abcd", 20, 0.6) };
    expect(skillsOf(select(sure, { due, size: 10 }))).toBe("aaaaaaaaaa");
    const days = 86_400_000;
    const old = due.map((card, i) => ({ ...card, dueAt: now - 14 * days - 100 + i }));
    expect(skillsOf(select(sure, { due: old, size: 10 }))).toBe("aaabaacaad");
    const nothingOpen = { ...sure, mastery: { a: 0.99, b: 0.99, c: 0.99, d: 0.99 } };
    expect(select(nothingOpen, { due, size: 3 }).map(({ reason }) => reason.code)).toEqual(Array(3).fill("due_review"));
  });

  it("wait as long as the policy says, and the list holds until the first wait ends", () => {
    const days = 86_400_000;
    const sure = { ...example, items: itemsOf("abcd", 20, 0.6) };
    const waits = (reviewWait: Partial<Policy["reviewWait"]>, days = 0) => {
      const policy = { reviewWait: { tolerance: 0.25, daysMax: 14, ...reviewWait } };
      const input = selectionInput({ ...sure, policy, input: { due, size: 4, now: now + days * 86_400_000 } });
      const { items, holdsUntil } = selectItems(input);
      return { list: skillsOf(items), holdsUntil };
    };
    expect(waits({})).toEqual({ list: "aaaa", holdsUntil: now - 100 + 14 * days });
    expect(waits({ tolerance: 0.15 }).list).toBe("aaab");
    expect(waits({ tolerance: 1 }).list).toBe("aaaa");
    expect(waits({ daysMax: 0 })).toEqual({ list: "aaab", holdsUntil: null });
    expect(waits({ daysMax: 3 }, 2.99)).toEqual({ list: "aaaa", holdsUntil: now - 100 + 3 * days });
    expect(waits({ daysMax: 3 }, 3)).toEqual({ list: "aaab", holdsUntil: null });
  });

  it("are the card's own item where cards are kept by item", () => {
    const byItem = [{ skillId: null, itemId: "b7", dueAt: now - 1 }];
    const list = select(example, { due: byItem, size: 5 });
    expect(list[3]).toMatchObject({ itemId: "b7", reason: { code: "due_review", skillId: "b" } });
  });

  it("are left out at share 0, and fill the list where nothing is open", () => {
    expect(skillsOf(select({ ...example, policy: { reviewShare: 0 } }, { due, size: 6 }))).toBe("aaaaaa");
    const all = select({ ...example, mastery: { a: 0.99, b: 0.99, c: 0.99, d: 0.99 } }, { due, size: 3 });
    expect(all.map(({ reason }) => reason.code)).toEqual(["due_review", "due_review", "due_review"]);
  });

  it("pass over a skill that is locked again", () => {
    const locked = { ...example, skills: { ...example.skills, b: { a: 1 } } };
    expect(skillsOf(select(locked, { due, size: 10 }))).not.toContain("b");
  });
});

describe("when all is mastered", () => {
  it("keeps fresh what is least sure", () => {
    const example = { skills: { a: {}, b: {} }, items: itemsOf("ab", 3), mastery: { a: 0.99, b: 0.96 } };
    const list = select(example, { size: 2 });
    expect(list.map(({ reason }) => reason)).toEqual([
      { code: "maintenance", skillId: "b", mastery: 0.96 },
      { code: "maintenance", skillId: "a", mastery: 0.99 },
    ]);
  });
});

describe("small banks", () => {
  it("repeat what was done longest ago, and only then", () => {
    const example = { skills: { a: {} }, items: itemsOf("a", 3) };
    expect(ids(select(example, { recentItemIds: ["a1", "a0"] }))).toEqual(["a2"]);
    const list = select(example, { recentItemIds: ["a1", "a0", "a2"] });
    expect(ids(list)).toEqual(["a2", "a0", "a1"]);
    expect(list[0]?.reason).toMatchObject({ code: "open_skill", skillId: "a" });
  });

  it("give an empty list when empty, in every session", () => {
    for (const sessionType of ["practice", "review", "placement", "mock_test"] as const) {
      expect(select({ items: {} }, { sessionType })).toEqual([]);
    }
  });

  it("of items without skills go by the target alone, explored too", () => {
    const items = { x: { p: 0.5 }, y: { p: 0.8 } };
    const list = select({ items, policy: { explorationRate: 0.2 } });
    expect(new Set(ids(list))).toEqual(new Set(["x", "y"]));
    for (const { reason } of list) expect(["near_target", "exploration"]).toContain(reason.code);
  });
});
