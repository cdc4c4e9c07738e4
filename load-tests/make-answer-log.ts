import { once } from "node:events";
import { parseArgs } from "node:util";
import { largeShape, logShapes, madeUpLog } from "../test/support/made-up-answers.ts";

/*
 * Made-up answers in the columns that `proximal evaluate` reads, for those who want to try it on a log of some shape:
 * `node load-tests/make-answer-log.ts --shape large > large.csv` (few-items, sparse, long, no-skills, large; --seed).
 */

const { values } = parseArgs({
  options: { shape: { type: "string", default: "large" }, seed: { type: "string", default: "1" } },
});
const shapes = { ...logShapes, large: largeShape };
const shape = shapes[values.shape as keyof typeof shapes];
if (shape === undefined) throw new Error(`--shape ${values.shape}: there are ${Object.keys(shapes).join(", ")}`);

const rowsAtOnce = 10_000;
const write = async (text: string): Promise<void> => {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
};
await write("user_id,item_id,skill_ids,timestamp,correct,split\n");
const answers = madeUpLog(shape, Number(values.seed));
for (let from = 0; from < answers.length; from += rowsAtOnce) {
  const rows = answers.slice(from, from + rowsAtOnce).map(({ learnerId, itemId, skillIds, at, correct }) => {
    const split = Number(learnerId.slice(1)) % 5 === 0 ? "test" : "train";
    return `${learnerId},${itemId},${skillIds.join(";")},${Math.floor((at ?? 0) / 1000)},${correct ? 1 : 0},${split}\n`;
  });
  await write(rows.join(""));
}
