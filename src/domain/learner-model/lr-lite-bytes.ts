import {
  type LrLiteWeights,
  lrLiteName,
  type SharedWeights,
  type SkillWeights,
  sharedNames,
  skillNames,
} from "./lr-lite-types.ts";
import type { Weight } from "./weight.ts";
import { decodeWeightsFile, encodeWeightsFile, NumberReader } from "./weights-bytes.ts";

/** Shared weights, then items, then skills; of each weight its value and its sum of squares. */
export function encodeLrLite(weights: LrLiteWeights): Uint8Array {
  const numbers: number[] = [];
  const put = (weight: Weight): void => {
    numbers.push(weight.value, weight.squares);
  };
  for (const name of sharedNames) put(weights.shared[name]);
  for (const weight of weights.items.values()) put(weight);
  for (const skill of weights.skills.values()) for (const name of skillNames) put(skill[name]);
  const ids = { items: [...weights.items.keys()], skills: [...weights.skills.keys()] };
  return encodeWeightsFile({ model: lrLiteName, ids, numbers: Float64Array.from(numbers) });
}

/** Throws on bytes that {@link encodeLrLite} did not write. */
export function decodeLrLite(bytes: Uint8Array): LrLiteWeights {
  const file = decodeWeightsFile(bytes, lrLiteName);
  const reader = new NumberReader(file.numbers);
  const take = (): Weight => ({ value: reader.take(), squares: reader.take() });
  const shared = Object.fromEntries(sharedNames.map((name) => [name, take()])) as SharedWeights;
  const items = new Map((file.ids.items ?? []).map((id) => [id, take()]));
  const takeSkill = (): SkillWeights => ({ level: take(), wins: take(), attempts: take(), recent: take() });
  const skills = new Map((file.ids.skills ?? []).map((id) => [id, takeSkill()]));
  reader.end();
  return { shared, items, skills };
}
