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

/** Numbers 0 to 1 in ten-thousandths come again and again, and to write one takes longer than to find it. */
const shares: string[] = [];
export function shareJson(value: number): string {
  const number = Math.round(value * 10_000);
  if (!(number >= 0 && number <= 10_000) || number / 10_000 !== value) return String(value);
  shares[number] ??= String(value);
  return shares[number];
}

/** What an answer says of an item whoever asks, rendered once for each version of the catalogue. */
export function createItemJson(reader: CatalogueReader): ItemJson {
  let version = -1;
  const rendered = new Map<string, string>();
  const skills = new Map<string, string>();

  /** Everything that was rendered is of one version of the catalogue. */
  function renew(): void {
    if (version === reader.version) return;
    version = reader.version;
    rendered.clear();
    skills.clear();
  }

  /** `,"skillId":"..."`; skills of the catalogue are few, and others are not kept. */
  function skillFact(skillId: string): string {
    let json = skills.get(skillId);
    if (json === undefined) {
      json = `,"skillId":${JSON.stringify(skillId)}`;
      if (reader.catalogue.skills.has(skillId)) skills.set(skillId, json);
    }
    return json;
  }

  /** What the reason is made of, after its code; times as ISO 8601. */
  function reasonFacts(reason: Reason): string {
    let facts = "";
    if ("skillId" in reason) facts += reason.skillId === null ? ',"skillId":null' : skillFact(reason.skillId);
    if ("mastery" in reason) facts += `,"mastery":${shareJson(reason.mastery)}`;
    if ("dueAt" in reason) facts += `,"dueAt":"${new Date(reason.dueAt).toISOString()}"`;
    if ("learners" in reason) facts += `,"learners":${reason.learners}`;
    if (reason.rules !== undefined) facts += `,"rules":${JSON.stringify(reason.rules)}`;
    return facts;
  }

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
      renew();
      let json = rendered.get(itemId) ?? null;
      if (json === null) {
        json = render(itemId);
        if (json !== null) rendered.set(itemId, json);
      }
      return json;
    },
    reason(reason) {
      renew();
      const text = JSON.stringify(reasonText(reason, skillTitle));
      return `{"code":"${reason.code}"${reasonFacts(reason)},"text":${text}}`;
    },
  };
}
