import type { ItemFields } from "../events.ts";
import type { Item, Skill } from "./catalogue.ts";
import { type Decision, defined, distinct, refused, retired, says, unchanged } from "./decision.ts";

/** First publication, revision and return of a retired item: whatever makes it stand as given. */
export function decidePublishItem(
  asked: ItemFields,
  item: Item | undefined,
  skills: ReadonlyMap<string, Pick<Skill, "retired">>,
): Decision {
  const fields = { ...asked, skillIds: distinct(asked.skillIds), tags: distinct(asked.tags) };
  if (item !== undefined && !item.retired && stands(item, fields)) return unchanged;
  const unknown = fields.skillIds.find((id) => skills.get(id)?.retired !== false);
  if (unknown !== undefined) {
    const why = skills.has(unknown) ? "is retired" : "is not defined";
    return refused("unknown_skill", `skill "${unknown}" ${why}`, `skillIds.${asked.skillIds.indexOf(unknown)}`);
  }
  const type = item === undefined || item.retired ? "ItemPublished" : "ItemRevised";
  return defined({ type, data: fields }, item);
}

export function decideRetireItem(itemId: string, item: Item | undefined): Decision {
  if (item === undefined) return refused("unknown_item", `there is no item "${itemId}"`, "itemId");
  return item.retired ? unchanged : retired({ type: "ItemRetired", data: { itemId } });
}

/** The optional fields count too: one that is no longer given is a revision. */
function stands(item: Item, fields: ItemFields): boolean {
  const { difficulty, contentUri, responses, source } = fields;
  return says(item, { ...fields, difficulty, contentUri, responses, source });
}

/** In order: one given twice is decided on what the first made of it. */
export function decidePublishItems(
  asked: readonly ItemFields[],
  items: ReadonlyMap<string, Item>,
  skills: ReadonlyMap<string, Pick<Skill, "retired">>,
): Decision[] {
  const latest = new Map<string, Item>();
  return asked.map((fields) => {
    const decision = decidePublishItem(fields, latest.get(fields.itemId) ?? items.get(fields.itemId), skills);
    const [event] = decision.status === "refused" ? [] : decision.events;
    if (event?.type === "ItemPublished" || event?.type === "ItemRevised") {
      latest.set(fields.itemId, { ...event.data, revision: 0, retired: false });
    }
    return decision;
  });
}
