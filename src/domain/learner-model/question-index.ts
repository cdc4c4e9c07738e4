import type { Question } from "./learner-model.ts";
import type { LocalSkill, LrLocal } from "./lr-types.ts";
import { skillSet } from "./skill-set.ts";

/** Questions and their skills by number, and which of them the learner in hand has met. */
export interface QuestionIndex {
  readonly skillIds: readonly string[];
  /** By the question's number: its skills, as places in `skillIds`, in the order of skill-set.ts. */
  readonly skillsOf: readonly (readonly number[])[];
  /** Questions whose items the learner has met, and beside each the item's number among the learner's. */
  readonly items: readonly number[];
  readonly itemNumbers: readonly number[];
  /** The same of skills: places in `skillIds`, and numbers among the learner's. */
  readonly skills: readonly number[];
  readonly skillNumbers: readonly number[];
  /** The question of the learner's last item, -1 for none. */
  readonly lastItem: number;
  /** Sets the learner in hand. */
  match(local: LrLocal<LocalSkill>): void;
}

export function questionIndex(questions: readonly Question[]): QuestionIndex {
  return new Index(questions);
}

class Index implements QuestionIndex {
  readonly skillIds: string[] = [];
  readonly skillsOf: number[][];
  readonly items: number[] = [];
  readonly itemNumbers: number[] = [];
  readonly skills: number[] = [];
  readonly skillNumbers: number[] = [];
  lastItem = -1;
  readonly #questions: ReadonlyMap<string, number>;
  readonly #skills = new Map<string, number>();

  constructor(questions: readonly Question[]) {
    this.#questions = new Map(questions.map(({ itemId }, number) => [itemId, number]));
    this.skillsOf = questions.map(({ skillIds }) => skillSet(skillIds).map((id) => this.#place(id)));
  }

  match(local: LrLocal<LocalSkill>): void {
    const { items, skills } = local.ids;
    this.items.length = 0;
    this.itemNumbers.length = 0;
    for (let item = 0; item < local.items.length; item++) {
      const question = this.#questions.get(items.list[item] as string);
      if (question === undefined) continue;
      this.items.push(question);
      this.itemNumbers.push(item);
    }
    this.lastItem = this.#questions.get(items.list[local.lastItem] ?? "") ?? -1;
    this.skills.length = 0;
    this.skillNumbers.length = 0;
    for (let skill = 0; skill < local.skills.length; skill++) {
      const place = this.#skills.get(skills.list[skill] as string);
      if (place === undefined) continue;
      this.skills.push(place);
      this.skillNumbers.push(skill);
    }
  }

  #place(id: string): number {
    const known = this.#skills.get(id);
    if (known !== undefined) return known;
    const place = this.skillIds.push(id) - 1;
    this.#skills.set(id, place);
    return place;
  }
}
