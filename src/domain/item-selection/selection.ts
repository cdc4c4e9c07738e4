import type { Experiment, ExperimentArm, Policy, SessionType } from "../events.ts";
import type { Item } from "../item-bank/catalogue.ts";

/** Why an item stands in a list: a code for programs, the facts its sentence needs, and the rules that shaped the choice. */
export type Reason = ReasonFacts & {
  /** Left out where none did. */
  readonly rules?: readonly Rule[];
};

export type ReasonFacts =
  | { readonly code: "pinned" }
  | { readonly code: "due_review"; readonly skillId: string | null; readonly dueAt: number }
  /** Not due yet; only in a review session, when all that was due is done. */
  | { readonly code: "upcoming_review"; readonly skillId: string | null; readonly dueAt: number }
  /** A skill whose prerequisites are held, itself not yet mastered. */
  | { readonly code: "open_skill"; readonly skillId: string; readonly mastery: number }
  /** An item without a skill, about as hard as the policy aims at. */
  | { readonly code: "near_target" }
  /** Chosen at random from the open candidates, so that policies can be compared later. */
  | { readonly code: "exploration"; readonly skillId: string | null }
  /** Everything is mastered: the least sure is kept fresh. */
  | { readonly code: "maintenance"; readonly skillId: string; readonly mastery: number }
  /** Tells most about the learner: placement. */
  | { readonly code: "most_informative"; readonly skillId: string | null }
  /** A spread over the track's topics: mock test. */
  | { readonly code: "topic_coverage"; readonly skillId: string | null }
  | { readonly code: "popular"; readonly learners: number };

/**
 * Rules of a policy that shape a list. Named at a place where, without the rule, another item would stand; at the last item
 * where the list would go on. Stored by their place here: add at the end.
 */
export const rules = [
  "do_not_repeat",
  "exposure_cap",
  "learner_share",
  "topic_mix",
  "mastery_evidence",
  "session_budget",
  "mastery_recall",
] as const;
export type Rule = (typeof rules)[number];

export const stopReasons = ["mastered", "nothing_due", "budget_used", "exposure_cap", "nothing_left"] as const;
export type StopReason = (typeof stopReasons)[number];

/** Why the policy sees no reason to go on now. Items beside it, if any, are ahead of time. */
export interface Stop {
  readonly reason: StopReason;
}

export interface SelectedItem {
  readonly itemId: string;
  /** Predicted probability of success, 0..1. */
  readonly p: number;
  /** What items of the same reason are ranked by, 0..1; comparable within one list only. */
  readonly score: number;
  /**
   * Probability, 0..1, that the policy puts this item at this place of the list for this learner as they stand now,
   * all its random draws left open. 1 where nothing is drawn (pins, reviews, every session type but practice).
   */
  readonly propensity: number;
  readonly reason: Reason;
}

export interface SkillMastery {
  /** Probability 0..1 that the skill is mastered. */
  readonly p: number;
  /** Standard deviation of that estimate. */
  readonly sd: number;
  /** Answers seen. */
  readonly n: number;
  /** Correct ones among them to items that the policy of their time held for hard; 0 when left out. */
  readonly hard?: number;
  /** From then on it has to be shown again, milliseconds since 1970; never when left out. */
  readonly lapsesAt?: number;
}

export interface DueCard {
  /** The card's skill, or the skills' first of the card's item. */
  readonly skillId: string | null;
  /** Set when cards are kept by item. */
  readonly itemId: string | null;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
}

/** What was drawn at a place: below the rate the coin swaps, with the candidate at the place drawn. */
export interface Turn {
  readonly coin: number;
  readonly drawn: number;
}

/** A draw of exploration, see exploration.ts: places of the list (from 0), filled from the pool, best first, at a rate. */
export interface Draw {
  readonly places: readonly number[];
  readonly pool: readonly { readonly itemId: string; readonly p: number }[];
  readonly rate: number;
  readonly seed: string;
  /** What was drawn for each of the places, in order. */
  readonly turns: readonly Turn[];
}

/** Items looked at for a list under one skill (null: under none), nearest the target first. */
export interface Considered {
  readonly skillId: string | null;
  readonly target: number;
  readonly candidates: readonly {
    readonly item: BankItem;
    readonly p: number;
    readonly closeness: number;
    readonly refused: boolean;
    /** Bits, see rules.ts. */
    readonly rules: number;
  }[];
}

/** Everything a selection depends on: the same input gives the same list, to the last bit. */
export interface SelectionInput {
  /** Items of the track as indexed by item-bank/bank.ts. */
  readonly bank: ItemBank;
  readonly policy: Policy;
  readonly sessionType: SessionType;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Told of what is looked at, skill by skill. */
  readonly onConsidered?: (considered: Considered) => void;
  /** Told of each draw of exploration: what could have come at its places. */
  readonly onDraw?: (draw: Draw) => void;
  /** Seeds the exploration draw: learner id and revision. */
  readonly seed: string;
  readonly predict: (item: BankItem) => number;
  readonly mastery: (skillId: string) => SkillMastery;
  /** Newest first. */
  readonly recentItemIds: readonly string[];
  /** Cards with dueAt <= now, most overdue first. */
  readonly due: readonly DueCard[];
  /** When the next card not yet due falls due; null for never. */
  readonly nextDueAt: number | null;
  /** When the next skill that is mastered lapses; never when null or left out. */
  readonly nextLapseAt?: number | null;
  /** Cards not due yet, soonest first: a review session goes on with them. None when left out. */
  readonly upcoming?: readonly DueCard[];
  /** How many items at the most. */
  readonly size: number;
  /** Only items with one of these skills, when given. */
  readonly onlySkillIds?: readonly string[];
  /** Never these. */
  readonly excludedItemIds?: ReadonlySet<string>;
  /** Who it is for: the learner's share of the items is drawn by it. */
  readonly learnerId?: string;
  /** How often the learner did an item, and when last (milliseconds since 1970). Never, when left out. */
  readonly done?: (item: BankItem) => ItemDone;
  /** What the learner's session has taken so far. Nothing, when left out. */
  readonly session?: SessionSoFar;
}

export interface ItemDone {
  readonly times: number;
  readonly lastAt: number;
}

export interface SessionSoFar {
  readonly ms: number;
  readonly items: number;
  /** What an item takes this learner where its author does not say, milliseconds. */
  readonly expectedMs: number;
  /** When the session counts as over if nothing more is done, milliseconds since 1970; Infinity where it has not begun. */
  readonly endsAt: number;
}

export interface Selection {
  /** Best first. */
  readonly items: readonly SelectedItem[];
  /** Milliseconds since 1970 until which time alone does not change the list; null for always. */
  readonly holdsUntil: number | null;
  /** Set where the learner may stop here; always where `items` is empty though some were asked for. */
  readonly stop: Stop | null;
}

/** One track's items, indexed so that candidates near a difficulty are found in O(log n). Built once for each change of the catalogue. */
export interface ItemBank {
  /** null: all items, the default policy. */
  readonly trackId: string | null;
  /** "<track>@<revision>", "<track>@<revision>/<arm>" in an experiment, "default@0" without a track. */
  readonly policyVersion: string;
  readonly policy: Policy;
  readonly items: ReadonlyMap<string, BankItem>;
  /** The same, in order of their index. */
  readonly allItems: readonly BankItem[];
  /** By skill, sorted by difficulty prior, easiest first. */
  readonly bySkill: ReadonlyMap<string, readonly BankItem[]>;
  readonly withoutSkill: readonly BankItem[];
  /** Skills of the bank in an order in which prerequisites come first. */
  readonly skillIds: readonly string[];
  readonly prerequisites: ReadonlyMap<string, readonly { readonly skillId: string; readonly weight: number }[]>;
  readonly pinned: readonly BankItem[];
  /** Where the track runs one: what it is, and the bank of each arm. */
  readonly experiment: { readonly definition: Experiment; readonly arms: ReadonlyMap<string, ItemBank> } | null;
  /** In the bank of an arm: which. */
  readonly arm: ExperimentArm | null;
  /** The skills of `skillIds`, in that order, with what selection needs of each. */
  readonly skills: readonly BankSkill[];
  readonly skill: ReadonlyMap<string, BankSkill>;
}

/** An item of the catalogue as it stands in a bank. */
export interface BankItem extends Item {
  /** Its place in `ItemBank.allItems`. */
  readonly index: number;
  /** Places in `ItemBank.skills` of those of its skills that the bank teaches. */
  readonly skillIndexes: readonly number[];
}

export interface BankSkill {
  readonly skillId: string;
  /** Its place in `ItemBank.skills`. */
  readonly index: number;
  /** Length of the longest chain of prerequisites below it. */
  readonly depth: number;
  /** Easiest first. */
  readonly items: readonly BankItem[];
  readonly prerequisites: readonly { readonly skillId: string; readonly weight: number }[];
}
