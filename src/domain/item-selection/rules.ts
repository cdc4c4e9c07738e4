import { type Reason, type Rule, rules } from "./selection.ts";

/** Rules as bits of a number: what is passed on and stored. */
export const ruleBits = Object.fromEntries(rules.map((rule, place) => [rule, 1 << place])) as Readonly<
  Record<Rule, number>
>;

const lists: (readonly Rule[] | undefined)[] = [];

/** The rules of a number; always the same array for the same number. */
export function rulesOf(bits: number): readonly Rule[] {
  const known = lists[bits];
  if (known !== undefined) return known;
  const list = rules.filter((rule) => (bits & ruleBits[rule]) !== 0);
  lists[bits] = list;
  return list;
}

export function bitsOf(named: readonly Rule[] | undefined): number {
  let bits = 0;
  if (named !== undefined) for (let at = 0; at < named.length; at++) bits |= ruleBits[named[at] as Rule];
  return bits;
}

/** The reason with these rules beside those it names already. */
export function withRules(reason: Reason, bits: number): Reason {
  return bits === 0 ? reason : { ...reason, rules: rulesOf(bits | bitsOf(reason.rules)) };
}
