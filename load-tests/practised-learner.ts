import type { InteractionRecorded } from "../src/domain/events.ts";
import { buildBank } from "../src/domain/item-bank/bank.ts";
import { emptyCatalogue, evolveCatalogue } from "../src/domain/item-bank/catalogue.ts";
import type { ItemBank, Selection } from "../src/domain/item-selection/selection.ts";
import { evolveLearner, masteryOf, newLearnerState } from "../src/domain/learner/learner-state.ts";
import { selectForLearner } from "../src/domain/learner/select-for-learner.ts";
import type { LearnerModel } from "../src/domain/learner-model/learner-model.ts";
import type { StoredEvent } from "../src/domain/stored-event.ts";
import { seededRandom } from "../test/support/random.ts";

/** A course of skills in chains of four, and the items of each. */
export interface Course {
  readonly skills: number;
  readonly items: number;
  readonly itemId?: (n: number) => string;
}

const start = Date.parse("2026-03-01T08:00:00Z");
const dayMs = 86_400_000;
const sessionAnswers = 20;

/** What a course publishes, from position 1 on. */
export function courseEvents({ skills, items, itemId = (n) => `item-${n}` }: Course): StoredEvent[] {
  const published = [
    ...Array.from({ length: skills }, (_, n) => ({
      ...{ stream: `skill-skill-${n}`, type: "SkillDefined" },
      data: {
        ...{ skillId: `skill-${n}`, title: `Skill ${n}` },
        prerequisites: n % 4 === 0 ? [] : [{ skillId: `skill-${n - 1}`, weight: 1 }],
      },
    })),
    ...Array.from({ length: items }, (_, n) => ({
      ...{ stream: `item-${itemId(n)}`, type: "ItemPublished" },
      data: {
        ...{ itemId: itemId(n), title: `Item ${n}`, skillIds: [`skill-${n % skills}`], kind: "exercise", tags: [] },
        difficulty: (Math.floor(n / skills) % 5) / 2 - 1,
      },
    })),
  ];
  return published.map((event, at) => stored({ ...event, revision: 1, position: at + 1, at: start }));
}

/**
 * The events of a learner: sessions of 20 answers, one each one to three days, an answer every 10 to 60 seconds. Two of
 * three answers are to one of the first five items of the list, the third to an item of the next skill of the course that
 * was not practised yet (a teacher's task, a book), and when there is none to any. The chance of success is the model's own, and rises by .3 over all.
 */
export function practise(
  model: LearnerModel,
  catalogue: readonly StoredEvent[],
  { learnerId, answers, seed }: { readonly learnerId: string; readonly answers: number; readonly seed: number },
): StoredEvent[] {
  const random = seededRandom(seed);
  const weights = model.newWeights();
  const bank = bankOf(catalogue);
  const state = newLearnerState(model);
  const events: StoredEvent[] = [];
  let at = start;
  let selection: Selection | null = null;
  for (let n = 0; n < answers; n += 1) {
    at +=
      n % sessionAnswers === 0
        ? dayMs * (1 + random.below(3)) + random.below(dayMs / 4)
        : 10_000 + random.below(50_000);
    const offered = n % 3 === 0 ? undefined : selection?.items[random.below(5)];
    const unpractised = bank.skillIds.find((skillId) => masteryOf(state, skillId) === null);
    const any = random.pick(unpractised === undefined ? bank.allItems : (bank.bySkill.get(unpractised) ?? []));
    const item = bank.items.get(offered?.itemId ?? "") ?? any;
    const { itemId, skillIds } = item;
    const p = model.predict(weights, state.local, { itemId, skillIds, at });
    const data: InteractionRecorded = {
      ...{ interactionId: `n${n}`, learnerId, itemId, kind: "answer", skillIds: [...skillIds], source: "api" },
      ...{ correct: random.chance(Math.min(0.95, p + (0.3 * n) / answers)), durationMs: 2_000 + random.below(20_000) },
      occurredAt: new Date(at).toISOString(),
    };
    const [revision, position] = [n + 1, catalogue.length + n + 1];
    const event = stored({ stream: `learner-${learnerId}`, type: "InteractionRecorded", data, revision, position, at });
    events.push(event);
    evolveLearner(state, { ...event, type: "InteractionRecorded", data } as never, {
      model,
      weights,
      policy: bank.policy,
    });
    const shared = { learnerId, state, bank, model, weights };
    selection = selectForLearner({ ...shared, sessionType: "practice", now: state.recordedAt, size: 20 });
  }
  return events;
}

function bankOf(catalogue: readonly StoredEvent[]): ItemBank {
  const known = emptyCatalogue();
  for (const event of catalogue) evolveCatalogue(known, event as never);
  const bank = buildBank(known, null);
  if (bank === null) throw new Error("there is always a bank of all items");
  return bank;
}

interface Told {
  readonly stream: string;
  readonly type: string;
  readonly data: object;
  readonly revision: number;
  readonly position: number;
  readonly at: number;
}

let made = 0;
function stored({ at, ...event }: Told): StoredEvent {
  made += 1;
  const eventId = `00000000-0000-4000-8000-${String(made).padStart(12, "0")}`;
  return { ...event, eventId, recordedAt: new Date(at).toISOString(), metadata: { schemaVersion: 1 } };
}
