import { type Random, seededRandom } from "../../domain/random.ts";
import type { SimulatedItem, SimulatedSkill } from "../../domain/simulated-learners/course.ts";
import { newSimulatedLearner } from "../../domain/simulated-learners/learner.ts";
import { sittings } from "../../domain/simulated-learners/schedule.ts";
import { learnerIdsOf } from "./learner-ids.ts";

/** src/app/demo/sample-log.csv: a class of 30 over four weeks, as CSV of the form that `import interactions` reads. */
export const sampleLogOptions = {
  seed: "class of 30",
  learners: 30,
  fromMs: Date.UTC(2025, 8, 1),
  toMs: Date.UTC(2025, 8, 29),
} as const;

interface Row {
  readonly at: number;
  readonly learnerId: string;
  readonly itemId: string;
  readonly skillIds: readonly string[];
  readonly correct: boolean;
  readonly durationMs: number;
  readonly hintCount: number;
}

/** The same course and options give the same bytes. */
export function sampleLogCsv(
  skills: readonly SimulatedSkill[],
  items: readonly SimulatedItem[],
  options: { readonly seed: string; readonly learners: number; readonly fromMs: number; readonly toMs: number },
): string {
  const rows = learnerIdsOf(options.learners).flatMap((id) =>
    answersOf(id, skills, items, seededRandom(`${options.seed}/${id}`), options),
  );
  rows.sort((a, b) => a.at - b.at || (a.learnerId < b.learnerId ? -1 : 1));
  const lines = rows.map((row, seq) => {
    const split = seededRandom(`split/${row.learnerId}`)() < 0.8 ? "train" : "test";
    const { learnerId, itemId, skillIds, at, correct, durationMs, hintCount } = row;
    const when = Math.round(at / 1000);
    return [seq, split, learnerId, itemId, skillIds.join(";"), when, Number(correct), durationMs, hintCount].join(",");
  });
  return ["seq,split,user_id,item_id,skill_ids,timestamp,correct,duration_ms,hint_count", ...lines, ""].join("\n");
}

function answersOf(
  learnerId: string,
  skills: readonly SimulatedSkill[],
  items: readonly SimulatedItem[],
  random: Random,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Row[] {
  const shown = new Map<string, { success: number; answers: number }>();
  const learner = newSimulatedLearner({ learnerId, generator: "school", skills, random, from: fromMs });
  const rows: Row[] = [];
  for (const at of sittings(random, fromMs, toMs).flatMap((sitting) => sitting.at)) {
    const item = teacherPicks(skills, items, shown, random);
    const answer = learner.attempt(item, at).find((act) => act.kind === "answer");
    if (answer === undefined) continue;
    const { correct = false, durationMs = 0, hintCount = 0 } = answer;
    rows.push({ at, learnerId, itemId: item.itemId, skillIds: item.skillIds, correct, durationMs, hintCount });
    for (const skillId of item.skillIds) note(shown, skillId, correct);
  }
  return rows;
}

/** A class of its time: the next chapter once the last one looks good, and now and then something from before. */
function teacherPicks(
  skills: readonly SimulatedSkill[],
  items: readonly SimulatedItem[],
  shown: ReadonlyMap<string, { success: number; answers: number }>,
  random: Random,
): SimulatedItem {
  const current = skills.findIndex(({ skillId }) => {
    const seen = shown.get(skillId);
    return seen === undefined || seen.answers < 6 || seen.success < 0.75;
  });
  const chapter = current < 0 ? skills.length - 1 : current;
  const skill = skills[random() < 0.25 ? Math.floor(random() * (chapter + 1)) : chapter];
  const candidates = items.filter((item) => skill !== undefined && item.skillIds.includes(skill.skillId));
  const picked = candidates[Math.floor(random() * candidates.length)] ?? items[0];
  if (picked === undefined) throw new Error("a sample log needs a course with items");
  return picked;
}

function note(shown: Map<string, { success: number; answers: number }>, skillId: string, correct: boolean): void {
  const before = shown.get(skillId) ?? { success: 0.5, answers: 0 };
  shown.set(skillId, { success: 0.8 * before.success + 0.2 * Number(correct), answers: before.answers + 1 });
}
