import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allItems, type RandomSelection, randomSelections } from "../../../test/support/selection-inputs.ts";
import type { Item } from "../item-bank/catalogue.ts";
import { selectItems } from "./select.ts";

/** The rules said a second time, plainly, and held against whatever is selected. */
function lockedFor({ input, mastery }: RandomSelection, item: Item): boolean {
  return item.skillIds.some((id) =>
    (input.bank.prerequisites.get(id) ?? []).some(
      (needed) => (mastery[needed.skillId] ?? 0) < input.policy.prerequisiteThreshold * needed.weight,
    ),
  );
}

function offerable(random: RandomSelection, item: Item): boolean {
  const { input, catalogue } = random;
  const { itemKinds } = input.policy;
  if (item.retired || catalogue.tracks.get("t")?.barredItemIds.includes(item.itemId)) return false;
  if (itemKinds.length > 0 && !itemKinds.includes(item.kind)) return false;
  if (input.onlySkillIds !== undefined && !item.skillIds.some((id) => input.onlySkillIds?.includes(id))) return false;
  const measures = input.sessionType === "placement" || input.sessionType === "mock_test";
  return measures || !lockedFor(random, item);
}

const recentOf = ({ input }: RandomSelection) => new Set(input.recentItemIds.slice(0, input.policy.doNotRepeat));

describe("selectItems, for any bank, learner, policy and session", () => {
  const selected = (random: RandomSelection): Item[] =>
    selectItems(random.input).items.map(({ itemId }) => {
      const item = random.catalogue.items.get(itemId);
      if (item === undefined) throw new Error(`no item ${itemId}`);
      return item;
    });

  it("offers nothing locked, retired, barred, of a wrong kind or of a skill not asked for", () => {
    fc.assert(
      fc.property(randomSelections, (random) => {
        for (const item of selected(random)) expect(offerable(random, item), item.itemId).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("offers no item twice and no more than asked for", () => {
    fc.assert(
      fc.property(randomSelections, (random) => {
        const ids = selected(random).map(({ itemId }) => itemId);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.length).toBeLessThanOrEqual(random.input.size);
      }),
      { numRuns: 500 },
    );
  });

  it("offers what was done within the window only where there is nothing else", () => {
    fc.assert(
      fc.property(randomSelections, (random) => {
        const recent = recentOf(random);
        const items = selected(random);
        if (!items.some(({ itemId }) => recent.has(itemId))) return;
        if (random.input.sessionType === "review") return;
        const others = allItems(random).filter((item) => offerable(random, item) && !recent.has(item.itemId));
        expect(others).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("fills a practice list as far as the bank goes", () => {
    fc.assert(
      fc.property(randomSelections, (random) => {
        fc.pre(random.input.sessionType !== "review");
        const recent = recentOf(random);
        const all = allItems(random).filter((item) => offerable(random, item));
        const fresh = all.filter(({ itemId }) => !recent.has(itemId));
        const most = Math.min(random.input.size, fresh.length > 0 ? fresh.length : all.length);
        expect(selected(random)).toHaveLength(most);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps reviews at their share of a practice list that open items can fill", () => {
    fc.assert(
      fc.property(randomSelections, (random) => {
        fc.pre(random.input.sessionType === "practice");
        const { items } = selectItems(random.input);
        const codes = items.map(({ reason }) => reason.code);
        if (random.input.policy.reviewShare === 0) expect(codes).not.toContain("due_review");
        if (codes.includes("maintenance") || codes.includes("near_target")) return;
        const open = codes.filter((code) => code === "open_skill" || code === "exploration").length;
        const unused = allItems(random).some(
          (item) =>
            offerable(random, item) &&
            !recentOf(random).has(item.itemId) &&
            item.skillIds.some((id) => (random.mastery[id] ?? 0) < random.input.policy.masteryThreshold) &&
            !items.some(({ itemId }) => itemId === item.itemId),
        );
        if (open === 0 || !unused) return;
        const reviews = codes.filter((code) => code === "due_review").length;
        expect(reviews).toBeLessThanOrEqual(Math.ceil(random.input.policy.reviewShare * items.length));
      }),
      { numRuns: 500 },
    );
  });

  it("says of each item what holds: p as predicted, propensity and score within 0..1, a reason that is so", () => {
    fc.assert(
      fc.property(randomSelections, (random) => {
        const { input } = random;
        for (const { itemId, p, score, propensity, reason } of selectItems(input).items) {
          const item = input.bank.items.get(itemId);
          if (item === undefined) throw new Error("not of the bank");
          expect(p).toBe(input.predict(item));
          expect(score >= 0 && score <= 1).toBe(true);
          expect(propensity > 0 && propensity <= 1).toBe(true);
          if (input.sessionType !== "practice" || input.policy.explorationRate === 0) expect(propensity).toBe(1);
          if (reason.code === "open_skill") {
            expect(item.skillIds).toContain(reason.skillId);
            expect(random.mastery[reason.skillId]).toBe(reason.mastery);
            const lapsed = reason.rules?.includes("mastery_recall") ?? false;
            expect(reason.mastery < input.policy.masteryThreshold || lapsed).toBe(true);
          }
          if (reason.code === "maintenance") {
            expect(random.mastery[reason.skillId]).toBeGreaterThanOrEqual(input.policy.masteryThreshold);
          }
          if (reason.code === "pinned") expect(input.bank.pinned).toContain(item);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("gives the same list for the same input, and holds until the next card falls due or presses, or a skill lapses", () => {
    fc.assert(
      fc.property(randomSelections, ({ input }) => {
        const first = selectItems(input);
        expect(selectItems(input)).toEqual(first);
        const reviews = input.sessionType === "review" || input.policy.reviewShare > 0;
        const timed = reviews && input.sessionType !== "placement" && input.sessionType !== "mock_test";
        const daysMax = input.sessionType === "practice" ? input.policy.reviewWait.daysMax : 0;
        const pressing = input.due.map(({ dueAt }) => dueAt + daysMax * 86_400_000).filter((at) => at > input.now);
        const until = timed
          ? Math.min(input.nextDueAt ?? Number.POSITIVE_INFINITY, ...pressing)
          : Number.POSITIVE_INFINITY;
        const lapse = (input.sessionType === "practice" ? input.nextLapseAt : null) ?? Number.POSITIVE_INFINITY;
        const soonest = Math.min(until, lapse);
        expect(first.holdsUntil).toBe(Number.isFinite(soonest) ? soonest : null);
      }),
    );
  });
});
