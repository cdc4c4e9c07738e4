import { policySchema, sessionTypes } from "../src/domain/events.ts";
import { buildBank } from "../src/domain/item-bank/bank.ts";
import { emptyCatalogue } from "../src/domain/item-bank/catalogue.ts";
import { selectItems } from "../src/domain/item-selection/select.ts";
import type { ItemBank, SelectionInput } from "../src/domain/item-selection/selection.ts";
import { newCards, reviewCard } from "../src/domain/reviews/cards.ts";

/*
 * What one selection, one bank and one review cost: `node load-tests/measure-selection.ts`. Prints the best of ten
 * rounds, since other work on the machine only ever adds. Predictions are looked up, so that their cost is left out.
 */

const rounds = 10;

/** A third of the skills mastered, a tree of prerequisites, difficulties -2 to 2. */
function course(items: number, skills: number): ItemBank {
  const catalogue = emptyCatalogue();
  const stored = { revision: 1, retired: false };
  for (let s = 0; s < skills; s++) {
    const prerequisites = s === 0 ? [] : [{ skillId: `s${Math.floor((s - 1) / 2)}`, weight: 1 }];
    catalogue.skills.set(`s${s}`, { skillId: `s${s}`, title: `Skill ${s}`, prerequisites, ...stored });
  }
  for (let i = 0; i < items; i++) {
    const item = { itemId: `i${i}`, title: `Item ${i}`, skillIds: [`s${i % skills}`], kind: "exercise", tags: [] };
    catalogue.items.set(item.itemId, { ...item, difficulty: ((i * 7919) % 1000) / 250 - 2, ...stored });
  }
  const policy = policySchema.parse({});
  const track = { trackId: "t", title: "T", itemIds: [], skillIds: [], policy, pinnedItemIds: [], barredItemIds: [] };
  catalogue.tracks.set("t", { ...track, ...stored });
  const bank = buildBank(catalogue, "t");
  if (bank === null) throw new Error("no track");
  console.log(`bank of ${items} items, ${skills} skills: built in ${ms(1, () => buildBank(catalogue, "t"))} ms`);
  return bank;
}

function inputs(bank: ItemBank, sessionType: SelectionInput["sessionType"]) {
  const p = new Map(
    [...bank.items.values()].map((item) => [item.itemId, 1 / (1 + Math.exp((item.difficulty ?? 0) - 1.2))]),
  );
  const mastery = new Map(
    bank.skills.map(({ skillId, index }) => [
      skillId,
      { p: index < bank.skills.length / 3 ? 0.97 : 0.3 + (index % 7) / 20, sd: 0.2, n: 4 },
    ]),
  );
  const unseen = { p: 0.2, sd: 0.3, n: 0 };
  const due = bank.skillIds.slice(0, 6).map((skillId, i) => ({ skillId, itemId: null, dueAt: 9e11 + i }));
  return Array.from(
    { length: 500 },
    (_, k): SelectionInput => ({
      bank,
      policy: bank.policy,
      sessionType,
      now: 1e12,
      seed: `learner-${k}:12`,
      predict: (item) => p.get(item.itemId) ?? 0.5,
      mastery: (skillId) => mastery.get(skillId) ?? unseen,
      recentItemIds: Array.from({ length: 20 }, (_, i) => `i${(k * 13 + i * 31) % bank.items.size}`),
      due,
      nextDueAt: 2e12,
      size: 20,
    }),
  );
}

/** Milliseconds of the fastest round, for each of `times`. */
function ms(times: number, work: () => void): string {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    work();
    best = Math.min(best, (performance.now() - start) / times);
  }
  return best.toFixed(times === 1 ? 1 : 4);
}

for (const [items, skills] of [
  [200, 12],
  [50_000, 12],
  [50_000, 500],
] as const) {
  const bank = course(items, skills);
  for (const sessionType of sessionTypes) {
    const all = inputs(bank, sessionType);
    let predictions = 0;
    for (const input of all) {
      const predict: typeof input.predict = (item) => {
        predictions += 1;
        return input.predict(item);
      };
      selectItems({ ...input, predict });
    }
    const each = Number(ms(all.length, () => all.forEach(selectItems))) * 1000;
    console.log(`  ${sessionType}: ${each.toFixed(1)} us for 20 items, ${predictions / all.length} predictions`);
  }
}

const cards = newCards();
let at = Date.UTC(2026, 0, 1);
const reviews = 100_000;
const each = ms(reviews, () => {
  for (let i = 0; i < reviews; i++) {
    at += 3_600_000;
    reviewCard(cards, { of: "skills", id: `${i % 50}`, correct: i % 5 !== 0, durationMs: 9_000 + (i % 7) * 1_000, at });
  }
});
console.log(`reviewCard: ${(Number(each) * 1000).toFixed(2)} us`);
