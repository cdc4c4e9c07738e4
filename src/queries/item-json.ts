import { percentOf, reasonText, stopText } from "../domain/item-selection/reason-text.ts";
import { bitsOf } from "../domain/item-selection/rules.ts";
import type { ItemBank, Reason, Stop } from "../domain/item-selection/selection.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import { type Piece, Pieces, piece, sumOf } from "./pieces.ts";

export interface ItemPiece extends Piece {
  /** Of the item's id alone. */
  readonly idSum: number;
  readonly skillIds: readonly string[];
}

export interface ItemJson {
  /** `{"itemId":"...","title":"...","kind":"...","skills":[{"skillId":"...","title":"..."}],"p":`; null for an unknown item. */
  of(itemId: string): ItemPiece | null;
  /** The same for items of a bank; null for any other. */
  ofBank(bank: ItemBank): (itemId: string) => ItemPiece | null;
  /** `,"reason":{"code":"...",...,"text":"..."}}`. */
  reason(reason: Reason): Piece;
}

/** `{"reason":"mastered","text":"..."}` or `null`. */
export const stopJson = (stop: Stop | null): string =>
  stop === null ? "null" : JSON.stringify({ reason: stop.reason, text: stopText(stop) });

/**
 * A number of ten-thousandths between the two, for 0 to 10,000 of them: these come again and again, and to write one takes
 * longer than to find it.
 */
export function tenThousandthsJson(before: string, after: string): (number: number) => string {
  // All places at once: an array that grows by leaps becomes a dictionary.
  const made = new Array<string | undefined>(10_001);
  return (number) => {
    let text = made[number];
    if (text === undefined) {
      text = before + number / 10_000 + after;
      if (number >= 0 && number <= 10_000) made[number] = text;
    }
    return text;
  };
}

/** The same of any number: those of 0 to 1 in ten-thousandths are found. */
export function sharesJson(before: string, after: string): (value: number) => string {
  const json = tenThousandthsJson(before, after);
  return (value) => {
    const number = Math.round(value * 10_000);
    const isShort = number >= 0 && number <= 10_000 && number / 10_000 === value;
    return isShort ? json(number) : before + value + after;
  };
}
const masteryJson = sharesJson(',"mastery":', "");

/** What the sentence of a reason, and all that stands before its numbers, is the same for. */
interface ReasonPieces {
  /** `,"reason":{"code":"...","skillId":"..."` */
  readonly head: Piece;
  /** `,"rules":[...],"text":"..."}}`, by the percent that the sentence gives, else one. */
  readonly tails: Piece[];
}

/** Of reasons; then all are made anew. */
const piecesMax = 20_000;

/** What an answer says of an item whoever asks, rendered once for each version of the catalogue. */
export function createItemJson(reader: CatalogueReader): ItemJson {
  let version = -1;
  const rendered = new Map<string, ItemPiece>();
  let banks = new WeakMap<ItemBank, (itemId: string) => ItemPiece | null>();
  /** By code and rules, then by skill. */
  const reasons = new Map<string, Map<string | null, ReasonPieces>>();
  let pieces = 0;

  /** Everything that was rendered is of one version of the catalogue. */
  function renew(): void {
    if (version === reader.version && pieces < piecesMax) return;
    version = reader.version;
    rendered.clear();
    banks = new WeakMap();
    reasons.clear();
    pieces = 0;
  }

  const skillTitle = (skillId: string): string => reader.catalogue.skills.get(skillId)?.title ?? skillId;

  function render(itemId: string): ItemPiece | null {
    const item = reader.catalogue.items.get(itemId);
    if (item === undefined) return null;
    const skills = item.skillIds.map((skillId) => ({ skillId, title: skillTitle(skillId) }));
    const { title, kind, contentUri } = item;
    const json = JSON.stringify({ itemId, title, kind, ...(contentUri === undefined ? {} : { contentUri }), skills });
    return { ...piece(`${json.slice(0, -1)},"p":`), idSum: sumOf(itemId), skillIds: item.skillIds };
  }

  function of(itemId: string): ItemPiece | null {
    renew();
    let json = rendered.get(itemId) ?? null;
    if (json === null) {
      json = render(itemId);
      if (json !== null) rendered.set(itemId, json);
    }
    return json;
  }

  /** One look-up for each item of a list, in place of one whether it is offered and one for its words. */
  function ofBank(bank: ItemBank): (itemId: string) => ItemPiece | null {
    renew();
    let offered = banks.get(bank);
    if (offered === undefined) {
      const found = new Map<string, ItemPiece>();
      offered = (itemId) => {
        const known = found.get(itemId);
        if (known !== undefined) return known;
        const one = bank.items.has(itemId) ? of(itemId) : null;
        if (one !== null) found.set(itemId, one);
        return one;
      };
      banks.set(bank, offered);
    }
    return offered;
  }

  function piecesOf(reason: Reason): ReasonPieces {
    const { code } = reason;
    const name = reason.rules === undefined ? code : `${code} ${bitsOf(reason.rules)}`;
    let bySkill = reasons.get(name);
    if (bySkill === undefined) {
      bySkill = new Map();
      reasons.set(name, bySkill);
    }
    const skillId = "skillId" in reason ? reason.skillId : null;
    let found = bySkill.get(skillId);
    if (found === undefined) {
      const skill = "skillId" in reason ? `,"skillId":${JSON.stringify(skillId)}` : "";
      found = { head: piece(`,"reason":{"code":"${code}"${skill}`), tails: [] };
      bySkill.set(skillId, found);
      pieces += 1;
    }
    return found;
  }

  function tailOf(reason: Reason): Piece {
    const rules = reason.rules === undefined ? "" : `,"rules":${JSON.stringify(reason.rules)}`;
    return piece(`${rules},"text":${JSON.stringify(reasonText(reason, skillTitle))}}}`);
  }

  return {
    of,
    ofBank,
    reason(reason) {
      renew();
      const { head, tails } = piecesOf(reason);
      const all = new Pieces();
      all.add(head);
      let place = 0;
      if ("mastery" in reason) {
        all.number(reason.mastery, masteryJson(reason.mastery));
        place = percentOf(reason.mastery);
      } else if ("dueAt" in reason) {
        all.number(reason.dueAt, `,"dueAt":"${new Date(reason.dueAt).toISOString()}"`);
      } else if ("learners" in reason) {
        all.number(reason.learners, `,"learners":${reason.learners}`);
        all.add(tailOf(reason));
        return all;
      }
      let tail = tails[place];
      if (tail === undefined) {
        tail = tailOf(reason);
        tails[place] = tail;
        pieces += 1;
      }
      all.add(tail);
      return all;
    },
  };
}
