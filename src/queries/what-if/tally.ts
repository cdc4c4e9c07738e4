/**
 * What two ways to choose make of the same history, in whole numbers only: ranges of learners are counted apart and added up,
 * and the sum does not depend on the order. JSON as it is, for checkpoints and for other threads.
 */
export interface Tally {
  /** Of the learners in the slice of history, those with a choice that was looked at. */
  learners: number;
  /** Events in the slice, folded or not. */
  events: number;
  readonly choices: ChoiceTally;
  readonly due: DueTally;
  readonly mastery: MasteryTally;
  /** By skill. */
  readonly skills: Record<string, SkillTally>;
  /** By part of the slice, in order of position. */
  readonly parts: PartTally[];
  /** First item's reason before and after, "open_skill due_review", by how often it came. */
  readonly reasons: Record<string, number>;
  /** Learners by the share of their choices whose first item changes: none, up to 10 %, up to 20 %, ... */
  readonly byShare: number[];
  /** Who changes most, the most changed first. */
  readonly most: LearnerChange[];
}

export interface ChoiceTally {
  /** Lists looked at: one before and one after, for the same learner at the same moment. */
  lists: number;
  firstChanged: number;
  /** The same items at the same places. */
  identical: number;
  /** Items in the lists before, and of them those in the list after. */
  items: number;
  itemsKept: number;
  emptyBefore: number;
  emptyAfter: number;
  /** Predicted success of the first item, in 1/10,000, summed over lists that have one. */
  firstSuccessBefore: number;
  firstSuccessAfter: number;
}

export interface DueTally {
  /** Cards at the end of the slice, before or after. */
  cards: number;
  changed: number;
  earlier: number;
  later: number;
  /** Of cards due at another time, summed: seconds later (negative: earlier). */
  secondsLater: number;
  onlyBefore: number;
  onlyAfter: number;
  learners: number;
}

export interface MasteryTally {
  /** Skills that learners have answered. */
  calls: number;
  masteredBefore: number;
  masteredAfter: number;
  gained: number;
  lost: number;
  /** With a call that changed. */
  learners: number;
}

export interface SkillTally {
  calls: number;
  masteredBefore: number;
  masteredAfter: number;
  gained: number;
  lost: number;
}

export interface PartTally {
  lists: number;
  firstChanged: number;
  identical: number;
  /** When the first event of this part was recorded, milliseconds since 1970; null where there is none. */
  from: number | null;
}

export interface LearnerChange {
  readonly learnerId: string;
  readonly lists: number;
  readonly firstChanged: number;
  readonly identical: number;
  /** Cards due at another time at the end. */
  readonly dueChanged: number;
  /** Mastered after, not before; and the other way round. */
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

export const partsCount = 24;
/** Learners named in a result; a file has them all. */
const mostMax = 100;

const sharesCount = 11;

export const newTally = (): Tally => ({
  ...{ learners: 0, events: 0, skills: {}, reasons: {}, most: [] },
  byShare: new Array<number>(sharesCount).fill(0),
  choices: {
    ...{ lists: 0, firstChanged: 0, identical: 0, items: 0, itemsKept: 0, emptyBefore: 0, emptyAfter: 0 },
    ...{ firstSuccessBefore: 0, firstSuccessAfter: 0 },
  },
  due: { cards: 0, changed: 0, earlier: 0, later: 0, secondsLater: 0, onlyBefore: 0, onlyAfter: 0, learners: 0 },
  mastery: { calls: 0, masteredBefore: 0, masteredAfter: 0, gained: 0, lost: 0, learners: 0 },
  parts: Array.from({ length: partsCount }, () => ({ lists: 0, firstChanged: 0, identical: 0, from: null })),
});

export const newSkillTally = (): SkillTally => ({ calls: 0, masteredBefore: 0, masteredAfter: 0, gained: 0, lost: 0 });

/** Adds another range of learners, in place. */
export function addTally(to: Tally, other: Tally): void {
  to.learners += other.learners;
  to.events += other.events;
  addAll(to.choices, other.choices);
  addAll(to.due, other.due);
  addAll(to.mastery, other.mastery);
  for (const [skillId, skill] of Object.entries(other.skills)) {
    to.skills[skillId] ??= newSkillTally();
    addAll(to.skills[skillId] as SkillTally, skill);
  }
  for (const [pair, count] of Object.entries(other.reasons)) to.reasons[pair] = (to.reasons[pair] ?? 0) + count;
  other.parts.forEach((part, at) => {
    const own = to.parts[at] as PartTally;
    own.lists += part.lists;
    own.firstChanged += part.firstChanged;
    own.identical += part.identical;
    if (part.from !== null) own.from = own.from === null ? part.from : Math.min(own.from, part.from);
  });
  other.byShare.forEach((learners, at) => {
    to.byShare[at] = (to.byShare[at] ?? 0) + learners;
  });
  to.most.push(...other.most);
  keepMost(to);
}

export function noteLearner(tally: Tally, change: LearnerChange): void {
  const share = Math.ceil((10 * change.firstChanged) / change.lists);
  tally.byShare[share] = (tally.byShare[share] ?? 0) + 1;
  tally.learners += 1;
  tally.most.push(change);
  if (tally.most.length > 20 * mostMax) keepMost(tally);
}

/** A total order, so that the same learners are named whatever the ranges were. */
export function keepMost({ most }: Tally): void {
  const weight = ({ firstChanged, dueChanged, gained, lost }: LearnerChange): number =>
    firstChanged + dueChanged + 5 * (gained.length + lost.length);
  most.sort((a, b) => weight(b) - weight(a) || (a.learnerId < b.learnerId ? -1 : 1));
  if (most.length > mostMax) most.length = mostMax;
}

function addAll<T extends object>(to: T, other: T): void {
  const sums = to as Record<string, number>;
  for (const [name, count] of Object.entries(other as Record<string, number>)) sums[name] = (sums[name] ?? 0) + count;
}
