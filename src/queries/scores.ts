import { abilityOf, type LearnerState, lastItemIds } from "../domain/learner/learner-state.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { ModelReader } from "../ports/model-reader.ts";
import { type LearnerFreshness, type LearnerRowDeps, readLearner } from "./learner-row.ts";

export interface Scores extends LearnerFreshness {
  readonly model: string;
  readonly modelVersion: number;
  /** Logits: 0 is even odds on a question of average difficulty. */
  readonly ability: number;
  readonly interactions: number;
  readonly answers: number;
  readonly correct: number;
  /** Correct answers in a row up to now, and the most there ever were. */
  readonly streak: number;
  readonly bestStreak: number;
  /** In the order of their first answer. `mastery` is a probability, `sd` its standard deviation. */
  readonly skills: readonly { skillId: string; title: string; mastery: number; sd: number; answers: number }[];
  /** Newest first; `p` is what was predicted before the answer. */
  readonly recent: readonly { itemId: string; title: string | null; correct: boolean; p: number; at: string }[];
  readonly lastItems: readonly string[];
}

/** What a learner can do, as far as the answers tell. */
export async function learnerScores(
  deps: LearnerRowDeps & { readonly catalogue: CatalogueReader },
  learnerId: string,
): Promise<Scores> {
  const { state, freshness } = await readLearner(deps, learnerId);
  return { ...freshness, ...scoresOf(deps, state) };
}

/** What a state says, in words of the catalogue. */
export function scoresOf(
  { catalogue, model }: { readonly catalogue: CatalogueReader; readonly model: ModelReader },
  state: LearnerState,
): Omit<Scores, keyof LearnerFreshness> {
  const { items, skills } = catalogue.catalogue;
  const { weights, version } = model.current();
  return {
    model: state.model,
    modelVersion: version,
    ability: short(abilityOf(model.model, weights, state.local)),
    interactions: state.interactions,
    answers: state.answers,
    correct: state.correct,
    streak: state.streak,
    bestStreak: state.bestStreak,
    skills: state.mastery.map(({ p, sd, n }, number) => {
      const skillId = state.ids.skills.list[number] ?? "";
      const title = skills.get(skillId)?.title ?? skillId;
      return { skillId, title, mastery: short(p), sd: short(sd), answers: n };
    }),
    recent: state.recent.map(({ item, correct, p, at }) => {
      const itemId = state.ids.items.list[item] ?? "";
      return { itemId, title: items.get(itemId)?.title ?? null, correct, p, at: new Date(at).toISOString() };
    }),
    lastItems: lastItemIds(state, 20),
  };
}

const short = (value: number): number => Math.round(value * 10_000) / 10_000;
