import { defineSkills } from "../../../commands/define-skills.ts";
import type { CatalogueCommandDeps, CatalogueOutcome } from "../../../commands/handle.ts";
import { publishItems } from "../../../commands/publish-items.ts";
import type { ImportedInteraction } from "./interaction-mapping.ts";

export interface UnknownPublisher {
  /** Publishes the skills and items of these rows that the catalogue does not know. */
  publish(rows: readonly ImportedInteraction[]): Promise<void>;
  readonly counts: {
    readonly items: number;
    readonly skills: number;
    /** Items whose rows name other skills than the catalogue does: the catalogue's stand. */
    readonly otherSkills: number;
  };
  /** Why some could not be published, the first few. Their interactions are recorded all the same. */
  readonly problems: readonly string[];
}

const problemsMax = 5;

/**
 * A log names items that nobody has published: "7" becomes the item titled "Item 7", with the skills of its first row.
 * An author can publish it under a better title later; the id is what counts.
 */
export function createUnknownPublisher(deps: CatalogueCommandDeps): UnknownPublisher {
  const counts = { items: 0, skills: 0, otherSkills: 0 };
  const problems: string[] = [];
  const seenItems = new Map<string, string>();
  const differing = new Set<string>();

  function newItems(rows: readonly ImportedInteraction[]): Map<string, readonly string[]> {
    const { items } = deps.catalogue.catalogue;
    const found = new Map<string, readonly string[]>();
    for (const { input, skillIds } of rows) {
      const { itemId } = input;
      if (typeof itemId !== "string") continue;
      const skills = skillIds.join("\n");
      const before = seenItems.get(itemId);
      if (before === undefined) {
        const known = items.get(itemId);
        seenItems.set(itemId, known === undefined ? skills : known.skillIds.join("\n"));
        if (known === undefined) found.set(itemId, skillIds);
      }
      if (skills !== "" && skills !== seenItems.get(itemId) && !differing.has(itemId)) {
        differing.add(itemId);
        counts.otherSkills += 1;
      }
    }
    return found;
  }

  function note(outcomes: readonly CatalogueOutcome[]): number {
    for (const outcome of outcomes) {
      if (outcome.status === "refused" && problems.length < problemsMax) {
        problems.push(`${outcome.id ?? "?"} was not published: ${outcome.problem.detail}`);
      }
    }
    return outcomes.filter(({ status }) => status === "published").length;
  }

  return {
    counts,
    problems,
    async publish(rows) {
      const items = newItems(rows);
      if (items.size === 0) return;
      const { skills } = deps.catalogue.catalogue;
      const skillIds = [...new Set([...items.values()].flat())].filter((id) => !skills.has(id));
      counts.skills += note(
        await defineSkills(
          deps,
          skillIds.map((skillId) => ({ skillId, title: `Skill ${skillId}` })),
        ),
      );
      const inputs = [...items].map(([itemId, ids]) => ({
        itemId,
        title: `Item ${itemId}`,
        skillIds: [...new Set(ids)],
      }));
      counts.items += note(await publishItems(deps, inputs));
    },
  };
}
