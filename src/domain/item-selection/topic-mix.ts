import type { TopicShare } from "../events.ts";
import type { Candidate } from "./candidates.ts";
import type { BankItem, SelectionInput } from "./selection.ts";

/** How many of the last items done count with the list, so that shares hold from one list to the next. */
const lookBack = 10;

/** Keeps the topics of a policy within their shares of the last items done and the list so far. */
export interface TopicMix {
  /** Bits of the item's topics: items with the same bits count the same. */
  topicsOf(item: BankItem): number;
  /** With this item at the next place, one of its topics were over its largest share. */
  over(candidate: Candidate): boolean;
  /** Bits of the topics that are short of their least share at the next place. */
  owed(): number;
  /** It stands at the next place. */
  placed(item: BankItem): void;
}

/**
 * null where the policy sets no shares. With n the last ten items done and the places up to the next one, a topic may have
 * floor(maxShare x n) of them, but one in any case, and is owed floor(minShare x n). Pins and reviews count, and are not
 * held back.
 */
export function topicMix(input: SelectionInput): TopicMix | null {
  const { bank, policy, recentItemIds } = input;
  const { topics } = policy;
  if (topics.length === 0) return null;
  const bits = topicBits(bank.allItems, topics);
  const counts = topics.map(() => 0);
  let places = 0;
  const placed = (item: BankItem): void => {
    const has = bits[item.index] ?? 0;
    for (let topic = 0; topic < counts.length; topic++)
      if (has & (1 << topic)) counts[topic] = (counts[topic] ?? 0) + 1;
    places += 1;
  };
  for (const itemId of recentItemIds.slice(0, lookBack)) {
    const item = bank.items.get(itemId);
    if (item !== undefined) placed(item);
  }
  return {
    topicsOf: (item) => bits[item.index] ?? 0,
    over({ item }) {
      const has = bits[item.index] ?? 0;
      return topics.some(
        ({ maxShare }, topic) =>
          (has & (1 << topic)) !== 0 && (counts[topic] ?? 0) + 1 > Math.max(1, wholePart(maxShare * (places + 1))),
      );
    },
    owed() {
      let owed = 0;
      for (const [topic, { minShare }] of topics.entries()) {
        if ((counts[topic] ?? 0) < wholePart(minShare * (places + 1))) owed |= 1 << topic;
      }
      return owed;
    },
    placed,
  };
}

/** .3 x 10 is a hair below 3. */
const wholePart = (value: number): number => Math.floor(value + 1e-9);

/** By the item's index. Of the banks and policies in use. */
const known = new WeakMap<readonly BankItem[], WeakMap<readonly TopicShare[], Int32Array>>();

function topicBits(items: readonly BankItem[], topics: readonly TopicShare[]): Int32Array {
  const ofItems = known.get(items) ?? new WeakMap<readonly TopicShare[], Int32Array>();
  known.set(items, ofItems);
  const made = ofItems.get(topics);
  if (made !== undefined) return made;
  const bits = new Int32Array(items.length);
  for (const [topic, { skillId, tag }] of topics.entries()) {
    for (const item of items) {
      const has =
        skillId === undefined ? tag !== undefined && item.tags.includes(tag) : item.skillIds.includes(skillId);
      if (has) bits[item.index] = (bits[item.index] ?? 0) | (1 << topic);
    }
  }
  ofItems.set(topics, bits);
  return bits;
}
