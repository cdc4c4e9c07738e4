import { parseArgs } from "node:util";
import { startRedis } from "../test/support/redis.ts";
import { bytesOfLearners } from "./bench/case-bytes.ts";

/*
 * What Redis holds of a learner, by how much they did: `node load-tests/measure-row-bytes.ts`
 * [--skills 50] [--items 250] [--answers 100,200,300,500,1000,2000] [--learners 20] [--list 20].
 *
 * Counted as in `npm run bench -- --only bytes`, once with infra/redis/read-models.conf's setting for hashes, once with
 * Redis's own.
 */

const { values } = parseArgs({
  options: {
    skills: { type: "string", default: "50" },
    items: { type: "string", default: "250" },
    answers: { type: "string", default: "100,200,300,400,500,1000,2000" },
    learners: { type: "string", default: "20" },
    list: { type: "string", default: "20" },
  },
});
const [skills, items, learners, list] = [values.skills, values.items, values.learners, values.list].map(Number) as [
  number,
  number,
  number,
  number,
];

const one = await startRedis({ settings: { "hash-max-listpack-value": "8192" } });
const other = await startRedis();
if ("skip" in one || "skip" in other) throw new Error("Redis is needed");
try {
  console.log("| answers | skills practised | items seen | state | list | in Redis | with Redis's own setting |");
  console.log("|---|---|---|---|---|---|---|");
  for (const answers of values.answers.split(",").map(Number)) {
    const wanted = { skills, items, answers, learners, list };
    const found = await bytesOfLearners(one.url, wanted);
    const plain = await bytesOfLearners(other.url, wanted);
    const { skills_practised, items_seen, state_bytes, list_bytes } = found;
    const figures = [skills_practised, items_seen, state_bytes, list_bytes, found.bytes, plain.bytes].map(Math.round);
    console.log(`| ${[answers, ...figures].join(" | ")} |`);
  }
} finally {
  await Promise.all([one.stop(), other.stop()]);
}
