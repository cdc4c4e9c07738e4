import { noKey } from "../domain/id-shapes.ts";
import { percentOf, reasonText, stopText } from "../domain/item-selection/reason-text.ts";
import { bitsOf } from "../domain/item-selection/rules.ts";
import type { ItemBank, Reason, Stop } from "../domain/item-selection/selection.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import { kindOfCode, type ReasonKind, reasonAt, type StoredReasons, unit } from "../projections/list-reasons.ts";
import { ById } from "./by-id.ts";
import { flat, mix, type Piece, piece, sumOf } from "./pieces.ts";
import { sharesJson, tenThousandthsJson } from "./short-numbers.ts";

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
  /** The same for items of a bank; null for any other. `key`: of the id, see `readCountedIds`. */
  ofBank(bank: ItemBank): (itemId: string, key: number) => ItemPiece | null;
  /** `,"reason":{"code":"...",...,"text":"..."}}`. */
  reason(reason: Reason): Piece;
  /** The same of one of the reasons of a stored list, by its place among them. */
  stored(reasons: StoredReasons, at: number): Piece;
}

/** `{"reason":"mastered","text":"..."}` or `null`. */
export const stopJson = (stop: Stop | null): string =>
  stop === null ? "null" : JSON.stringify({ reason: stop.reason, text: stopText(stop) });

const masteryJson = sharesJson(',"mastery":', "");
const storedMasteryJson = tenThousandthsJson(',"mastery":', "");

/** What the sentence of a reason, and all that stands before its numbers, is the same for. */
interface ReasonPieces {
  readonly kind: ReasonKind;
  /** As bits. */
  readonly rules: number;
  /** `,"reason":{"code":"...","skillId":"..."` */
  readonly head: Piece;
  /** `,"rules":[...],"text":"..."}}`; where the sentence gives a percentage, up to its digits. Made when it is first asked for. */
  tail: Piece | null;
  /** What follows these digits. */
  afterPercent: string;
}

/** Of reasons; then all are made anew. */
const piecesMax = 20_000;

/** What an answer says of an item whoever asks, rendered once for each version of the catalogue. */
export function createItemJson(reader: CatalogueReader): ItemJson {
  let version = -1;
  const rendered = new Map<string, ItemPiece>();
  let banks = new WeakMap<ItemBank, (itemId: string, key: number) => ItemPiece | null>();
  /** By skill, then a few by code and rules: looked through faster than looked up. */
  const reasons = new ById<ReasonPieces[]>();
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
  function ofBank(bank: ItemBank): (itemId: string, key: number) => ItemPiece | null {
    renew();
    let offered = banks.get(bank);
    if (offered === undefined) {
      const found = new ById<ItemPiece>();
      offered = (itemId, key) => {
        const known = found.get(itemId, key);
        if (known !== undefined) return known;
        const one = bank.items.has(itemId) ? of(itemId) : null;
        if (one !== null) found.set(itemId, key, one);
        return one;
      };
      banks.set(bank, offered);
    }
    return offered;
  }

  function piecesOf(kind: ReasonKind, rules: number, skillId: string | null, key: number): ReasonPieces {
    let ofSkill = reasons.get(skillId, key);
    if (ofSkill === undefined) {
      ofSkill = [];
      reasons.set(skillId, key, ofSkill);
    }
    for (let k = 0; k < ofSkill.length; k++) {
      const known = ofSkill[k] as ReasonPieces;
      if (known.kind === kind && known.rules === rules) return known;
    }
    const skill = kind.facts.skillId ? `,"skillId":${JSON.stringify(skillId)}` : "";
    const head = piece(`,"reason":{"code":"${kind.code}"${skill}`);
    const made: ReasonPieces = { kind, rules, head, tail: null, afterPercent: "" };
    ofSkill.push(made);
    pieces += 1;
    return made;
  }

  function tailOf(reason: Reason): string {
    const rules = reason.rules === undefined ? "" : `,"rules":${JSON.stringify(reason.rules)}`;
    return `${rules},"text":${JSON.stringify(reasonText(reason, skillTitle, () => percentMark))}}}`;
  }

  function keptTail(pieces: ReasonPieces, reason: Reason): Piece {
    const text = tailOf(reason);
    const at = pieces.kind.facts.mastery ? text.lastIndexOf(percentMarkJson) : text.length;
    pieces.tail = piece(text.slice(0, at));
    pieces.afterPercent = flat(text.slice(at + percentMarkJson.length));
    return pieces.tail;
  }

  function reason(reason: Reason): Piece {
    renew();
    const skillId = "skillId" in reason ? reason.skillId : null;
    const pieces = piecesOf(kindOfCode(reason.code), bitsOf(reason.rules), skillId, noKey);
    const { head } = pieces;
    // Each number of learners has its own sentence.
    if ("learners" in reason)
      return inTurn(head, `,"learners":${reason.learners}`, reason.learners, piece(tailOf(reason)));
    const tail = pieces.tail ?? keptTail(pieces, reason);
    if ("dueAt" in reason) return inTurn(head, dueJson(reason.dueAt), reason.dueAt, tail);
    if (!("mastery" in reason)) return inTurn(head, "", 0, tail);
    const { mastery } = reason;
    return withPercent(
      inTurn(head, masteryJson(mastery), mastery * 1e9, tail),
      percentOf(mastery),
      pieces.afterPercent,
    );
  }

  function stored(reasons: StoredReasons, at: number): Piece {
    renew();
    const kind = reasons.kinds[at] as ReasonKind;
    const value = reasons.values[at] as number;
    const { mastery, dueAt, learners } = kind.facts;
    if (learners) return reason(reasonAt(reasons, at));
    const [skillId, key] = [reasons.skillIds[at] as string | null, reasons.skillKeys[at] as number];
    const pieces = piecesOf(kind, reasons.rules[at] as number, skillId, key);
    const tail = pieces.tail ?? keptTail(pieces, reasonAt(reasons, at));
    if (!mastery) return inTurn(pieces.head, dueAt ? dueJson(value) : "", dueAt ? value : 0, tail);
    const start = inTurn(pieces.head, storedMasteryJson(value), value, tail);
    return withPercent(start, percentOf(value / unit), pieces.afterPercent);
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

/** The digits of a percentage, and what follows them, in ASCII: what `start` says tells them. */
function withPercent({ text, bytes, sum }: Piece, percent: number, after: string): Piece {
  const digits = String(percent);
  return { text: text + digits + after, bytes: bytes + digits.length + after.length, sum };
}

/** In place of the digits of a percentage, while a sentence is cut there: nothing behind it is anybody's own words. */
const percentMark = "\u0000";
const percentMarkJson = JSON.stringify(percentMark).slice(1, -1);
