import { itemWidth, type LrWeights, sharedWidth, skillWidth } from "./lr-types.ts";
import { numbersOfWeight, WeightTable } from "./weight.ts";
import { decodeWeightsFile, encodeWeightsFile, NumberReader } from "./weights-bytes.ts";

export const lrLiteName = "lr-lite";

/** Shared weights, then items, then skills; of each weight its value and its sum of squares. */
export function encodeLrLite({ shared, items, skills }: LrWeights): Uint8Array {
  const [itemNumbers, skillNumbers] = [items.rowNumbers(), skills.rowNumbers()];
  const numbers = new Float64Array(shared.length + itemNumbers.length + skillNumbers.length);
  numbers.set(shared);
  numbers.set(itemNumbers, shared.length);
  numbers.set(skillNumbers, shared.length + itemNumbers.length);
  return encodeWeightsFile({ model: lrLiteName, ids: { items: items.ids(), skills: skills.ids() }, numbers });
}

/** Throws on bytes that {@link encodeLrLite} did not write. */
export function decodeLrLite(bytes: Uint8Array): LrWeights {
  const { ids, numbers } = decodeWeightsFile(bytes, lrLiteName);
  const reader = new NumberReader(numbers);
  const shared = reader.takeAll(numbersOfWeight * sharedWidth);
  const table = (width: number, of: readonly string[] = []): WeightTable =>
    new WeightTable(width, reader.takeAll(numbersOfWeight * width * of.length), of);
  const weights = { shared, items: table(itemWidth, ids.items), skills: table(skillWidth, ids.skills) };
  reader.end();
  return weights;
}
