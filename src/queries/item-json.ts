import { reasonText, stopText } from "../domain/item-selection/reason-text.ts";
import type { Reason, Stop } from "../domain/item-selection/selection.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";

export interface ItemJson {
  /** `"itemId":"...","title":"...","kind":"...","skills":[{"skillId":"...","title":"..."}]`, without braces; null for an unknown item. */
  of(itemId: string): string | null;
  /** `{"code":"...",...,"text":"..."}` */
  reason(reason: Reason): string;
}

/** `{"reason":"mastered","text":"..."}` or `null`. */
export const stopJson = (stop: Stop | null): string =>
  stop === null ? "null" : JSON.stringify({ reason: stop.reason, text: stopText(stop) });

/** What an answer says of an item whoever asks, rendered once for each version of the catalogue. */
export function createItemJson(reader: CatalogueReader): ItemJson {
  let version = -1;
  const rendered = new Map<string, string>();
  const skillTitle = (skillId: string): string => reader.catalogue.skills.get(skillId)?.title ?? skillId;

  function render(itemId: string): string | null {
    const item = reader.catalogue.items.get(itemId);
    if (item === undefined) return null;
    const skills = item.skillIds.map((skillId) => ({ skillId, title: skillTitle(skillId) }));
    const { title, kind, contentUri } = item;
    return JSON.stringify({ itemId, title, kind, ...(contentUri === undefined ? {} : { contentUri }), skills }).slice(
      1,
      -1,
    );
  }

  return {
    of(itemId) {
      if (version !== reader.version) {
        version = reader.version;
        rendered.clear();
      }
      let json = rendered.get(itemId) ?? null;
      if (json === null) {
        json = render(itemId);
        if (json !== null) rendered.set(itemId, json);
      }
      return json;
    },
    reason(reason) {
      const text = JSON.stringify(reasonText(reason, skillTitle));
      return `{"code":"${reason.code}"${reasonFacts(reason)},"text":${text}}`;
    },
  };
}

/** What the reason is made of, after its code; times as ISO 8601. */
function reasonFacts(reason: Reason): string {
  let facts = "";
  for (const [name, value] of Object.entries(reason as unknown as Readonly<Record<string, unknown>>)) {
    if (name === "code") continue;
    const shown = name === "dueAt" ? new Date(Number(value)).toISOString() : value;
    facts += `,"${name}":${typeof shown === "number" ? shown : JSON.stringify(shown)}`;
  }
  return facts;
}
