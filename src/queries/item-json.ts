import { percentOf, reasonText, stopText } from "../domain/item-selection/reason-text.ts";
import { bitsOf } from "../domain/item-selection/rules.ts";
import type { ItemBank, Reason, Stop } from "../domain/item-selection/selection.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import { kindOfCode, type ReasonKind, reasonAt, type StoredReasons, unit } from "../projections/list-reasons.ts";
import { mix, type Piece, piece, sumOf } from "./pieces.ts";

export interface ItemPiece extends Piece {
  /** Without the comma before it. */
  readonly first: Piece;
  /** Of the item's id alone. */
  readonly idSum: number;
  readonly skillIds: readonly string[];
}

export interface ItemJson {
  /** `,{"itemId":"...","title":"...","kind":"...","skills":[{"skillId":"...","title":"..."}],"p":`; null for an unknown item. */
  of(itemId: string): ItemPiece | null;
  /** The same for items of a bank; null for any other. */
  ofBank(bank: ItemBank): (itemId: string) => ItemPiece | null;
  /** `,"reason":{"code":"...",...,"text":"..."}}`. */
  reason(reason: Reason): Piece;
  /** The same of one of the reasons of a stored list, by its place among them. */
  stored(reasons: StoredReasons, at: number): Piece;
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
const storedMasteryJson = tenThousandthsJson(',"mastery":', "");

/** What the sentence of a reason, and all that stands before its numbers, is the same for. */
interface ReasonPieces {
  readonly kind: ReasonKind;
  /** As bits. */
  readonly rules: number;
  /** `,"reason":{"code":"...","skillId":"..."` */
  readonly head: Piece;
  /** `,"rules":[...],"text":"..."}}`, by the percent that the sentence gives, else one. */
  readonly tails: (Piece | undefined)[];
}

/** Of reasons; then all are made anew. */
const piecesMax = 20_000;

/** What an answer says of an item whoever asks, rendered once for each version of the catalogue. */
export function createItemJson(reader: CatalogueReader): ItemJson {
  let version = -1;
  const rendered = new Map<string, ItemPiece>();
  let banks = new WeakMap<ItemBank, (itemId: string) => ItemPiece | null>();
  /** By skill, then a few by code and rules: looked through faster than looked up. */
  const reasons = new Map<string | null, ReasonPieces[]>();
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
    const first = piece(`${json.slice(0, -1)},"p":`);
    const { text, bytes, sum } = piece(`,${first.text}`);
    return { text, bytes, sum, first, idSum: sumOf(itemId), skillIds: item.skillIds };
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

  function piecesOf(kind: ReasonKind, rules: number, skillId: string | null): ReasonPieces {
    let ofSkill = reasons.get(skillId);
    if (ofSkill === undefined) {
      ofSkill = [];
      reasons.set(skillId, ofSkill);
    }
    for (let k = 0; k < ofSkill.length; k++) {
      const known = ofSkill[k] as ReasonPieces;
      if (known.kind === kind && known.rules === rules) return known;
    }
    const skill = kind.facts.skillId ? `,"skillId":${JSON.stringify(skillId)}` : "";
    // All places at once: an array that grows by leaps becomes a dictionary.
    const tails = new Array<Piece | undefined>(kind.facts.mastery ? 101 : 1);
    const made = { kind, rules, head: piece(`,"reason":{"code":"${kind.code}"${skill}`), tails };
    ofSkill.push(made);
    pieces += 1;
    return made;
  }

  function tailOf(reason: Reason): Piece {
    const rules = reason.rules === undefined ? "" : `,"rules":${JSON.stringify(reason.rules)}`;
    return piece(`${rules},"text":${JSON.stringify(reasonText(reason, skillTitle))}}}`);
  }

  function keptTail(tails: (Piece | undefined)[], place: number, reason: Reason): Piece {
    pieces += 1;
    const tail = tailOf(reason);
    tails[place] = tail;
    return tail;
  }

  function reason(reason: Reason): Piece {
    renew();
    const skillId = "skillId" in reason ? reason.skillId : null;
    const { head, tails } = piecesOf(kindOfCode(reason.code), bitsOf(reason.rules), skillId);
    if ("learners" in reason) return inTurn(head, `,"learners":${reason.learners}`, reason.learners, tailOf(reason));
    const share = "mastery" in reason ? reason.mastery : 0;
    const place = percentOf(share);
    const tail = tails[place] ?? keptTail(tails, place, reason);
    if ("dueAt" in reason) return inTurn(head, dueJson(reason.dueAt), reason.dueAt, tail);
    return inTurn(head, "mastery" in reason ? masteryJson(share) : "", share * 1e9, tail);
  }

  function stored(reasons: StoredReasons, at: number): Piece {
    renew();
    const kind = reasons.kinds[at] as ReasonKind;
    const value = reasons.values[at] as number;
    const { head, tails } = piecesOf(kind, reasons.rules[at] as number, reasons.skillIds[at] as string | null);
    const { mastery, dueAt, learners } = kind.facts;
    if (learners) return reason(reasonAt(reasons, at));
    const place = mastery ? percentOf(value / unit) : 0;
    const tail = tails[place] ?? keptTail(tails, place, reasonAt(reasons, at));
    if (mastery) return inTurn(head, storedMasteryJson(value), value, tail);
    return dueAt ? inTurn(head, dueJson(value), value, tail) : inTurn(head, "", 0, tail);
  }

  return { of, ofBank, reason, stored };
}

const dueJson = (dueAt: number): string => `,"dueAt":"${new Date(dueAt).toISOString()}"`;

/** One after the other; between the two `value` in words, in ASCII. */
const inTurn = (head: Piece, words: string, value: number, tail: Piece): Piece => ({
  text: head.text + words + tail.text,
  bytes: head.bytes + words.length + tail.bytes,
  sum: mix(mix(head.sum, value), tail.sum),
});
