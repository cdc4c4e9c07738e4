import type { Policy } from "../../domain/events.ts";
import { buildBank } from "../../domain/item-bank/bank.ts";
import { emptyCatalogue } from "../../domain/item-bank/catalogue.ts";
import type { ItemBank } from "../../domain/item-selection/selection.ts";
import type { SimulatedCourse } from "../../domain/simulated-learners/course.ts";

/** The bank of a track that holds the whole course, with the difficulties that its author guessed. */
export function bankOfCourse({ skills, items }: SimulatedCourse, policy: Policy): ItemBank {
  const catalogue = emptyCatalogue();
  const stored = { revision: 1, retired: false };
  for (const { skillId, prerequisites } of skills) {
    const weighted = prerequisites.map((prerequisite) => ({ ...prerequisite, weight: 1 }));
    catalogue.skills.set(skillId, { skillId, title: skillId, prerequisites: weighted, ...stored });
  }
  for (const { itemId, skillIds, guessedDifficulty } of items) {
    const difficulty = Math.max(-10, Math.min(10, guessedDifficulty));
    const item = { itemId, title: itemId, skillIds: [...skillIds], difficulty, kind: "exercise", tags: [] };
    catalogue.items.set(itemId, { ...item, ...stored });
  }
  const track = { trackId, title: trackId, itemIds: [], skillIds: [], policy, pinnedItemIds: [], barredItemIds: [] };
  catalogue.tracks.set(trackId, { ...track, ...stored });
  const bank = buildBank(catalogue, trackId);
  if (bank === null) throw new Error("the track was just made");
  return bank;
}

export const trackId = "course";
