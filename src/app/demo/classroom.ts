import { setTimeout as sleep } from "node:timers/promises";
import type { SessionType } from "../../domain/events.ts";
import { seededRandom } from "../../domain/random.ts";
import { newBktKnowledge, schoolBkt } from "../../domain/simulated-learners/bkt.ts";
import { newSimulatedLearner, type SimulatedLearner } from "../../domain/simulated-learners/learner.ts";
import { type Sitting, sittings } from "../../domain/simulated-learners/schedule.ts";
import type { ApiClient } from "../api-client.ts";
import type { Course } from "./course.ts";
import { learnerIdsOf } from "./learner-ids.ts";

export interface ClassroomOptions {
  readonly course: Course;
  readonly learners: number;
  readonly seed: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** One learner at their desk: what they know, and how many interactions they have posted. */
interface Pupil {
  readonly mind: SimulatedLearner;
  /** The next interaction's number: ids are made of it, so that a post sent twice counts once. */
  posted: number;
  after: string | undefined;
}

export interface Classroom {
  /** Posts the past weeks of every learner, as far as they are not in the log yet. Resolves with interactions posted. */
  backlog(signal: AbortSignal, onPosted: (posted: number) => void): Promise<number>;
  /** Somebody does something every second or so, until the signal. */
  trickle(signal: AbortSignal, pauseMs: number): Promise<void>;
  readonly learnerIds: readonly string[];
}

const weeks = 4;
const dayMs = 86_400_000;
/** Few sessions: the past of the whole class is posted while one reads the banner. */
const diligence = 0.4;
/** Learners who post at the same time. */
const atOnce = 6;

/**
 * A class of simulated learners on a server's public API: each asks what to do next, does it, and posts what happened.
 * What a learner knows is hidden from the server; where one comes back after a restart, it is guessed from the scores.
 */
export function createClassroom(api: ApiClient, options: ClassroomOptions): Classroom {
  const { course, seed, now } = options;
  const learnerIds = learnerIdsOf(options.learners);
  const items = new Map(course.items.map((item) => [item.itemId, item]));
  const pupils = new Map<string, Pupil>();

  /** What to do next; from the course's own track where the list leads out of it. */
  async function ask(pupil: Pupil, session: SessionType, track: string | undefined): Promise<NextReply> {
    const path = `/v1/learners/${encodeURIComponent(pupil.mind.learnerId)}/next`;
    const query = { count: 1, session, after: pupil.after };
    const reply = (await api.get(path, query)) as NextReply;
    if (items.has(reply.items[0]?.itemId ?? "")) return reply;
    return (await api.get(path, { ...query, track })) as NextReply;
  }

  /** Asks, answers, posts: one step at time `at`. Resolves with the number of interactions posted. */
  async function step(pupil: Pupil, at: number, sitting: number, sessionType: SessionType): Promise<number> {
    const { learnerId } = pupil.mind;
    const trackId = course.tracks[0]?.trackId;
    const answer = await ask(pupil, sessionType, trackId);
    const item = items.get(answer.items[0]?.itemId ?? "");
    if (item === undefined) return 0;
    const interactions = pupil.mind.attempt(item, at).map((act, i) => ({
      id: `sim-${pupil.posted + i + 1}`,
      learnerId,
      itemId: item.itemId,
      ...act,
      sessionId: `${learnerId}-${sitting}`,
      sessionType,
      ...(trackId === undefined ? {} : { trackId }),
      selectionId: answer.selectionId,
      occurredAt: new Date(at).toISOString(),
      source: "simulated learner",
    }));
    const reply = (await api.post("/v1/interactions", interactions)) as { tokens?: Record<string, string> };
    pupil.posted += interactions.length;
    pupil.after = reply.tokens?.[learnerId];
    return interactions.length;
  }

  /** A learner as the server knows them, or a new one. */
  async function arrive(learnerId: string): Promise<Pupil> {
    const known = pupils.get(learnerId);
    if (known !== undefined) return known;
    const scores = (await api.get(`/v1/learners/${encodeURIComponent(learnerId)}/scores`)) as ScoresReply;
    const { skills } = course;
    const draws = { now: seededRandom(`${seed}/${learnerId}`) };
    const random = (): number => draws.now();
    const later = seededRandom(`${seed}/${learnerId}/${scores.interactions}`);
    const remembered = new Set(scores.skills.filter(({ mastery }) => later() < mastery).map(({ skillId }) => skillId));
    const mind = newSimulatedLearner({
      learnerId,
      generator: "school",
      skills,
      random,
      from: now() - weeks * 7 * dayMs,
      ...(scores.interactions === 0
        ? {}
        : { knowledge: ({ ability }) => newBktKnowledge({ skills, ability, random }, schoolBkt, remembered) }),
    });
    draws.now = later;
    const pupil: Pupil = { mind, posted: scores.interactions, after: undefined };
    pupils.set(learnerId, pupil);
    return pupil;
  }

  async function past(learnerId: string, signal: AbortSignal, onPosted: (posted: number) => void): Promise<void> {
    const pupil = await arrive(learnerId);
    const today = Math.floor(now() / dayMs) * dayMs;
    // Always the same number of steps. One posts at least one interaction: what was posted once is never begun again.
    const plan = backlogOf(sittings(seededRandom(`${seed}/${learnerId}/days`), 0, weeks * 7 * dayMs, { diligence }));
    for (const { at, sitting, sessionType } of plan.slice(pupil.posted)) {
      if (signal.aborted) return;
      onPosted(await step(pupil, today - weeks * 7 * dayMs + at, sitting, sessionType));
    }
  }

  return {
    learnerIds,
    async backlog(signal, onPosted) {
      let posted = 0;
      const waiting = [...learnerIds];
      const desk = async (): Promise<void> => {
        for (let id = waiting.shift(); id !== undefined && !signal.aborted; id = waiting.shift()) {
          await past(id, signal, (n) => {
            posted += n;
            onPosted(posted);
          });
        }
      };
      await Promise.all(Array.from({ length: atOnce }, desk));
      return posted;
    },
    async trickle(signal, pauseMs) {
      const random = seededRandom(`${seed}/${now()}`);
      while (!signal.aborted) {
        await sleep(pauseMs * (0.5 + random()), undefined, { signal }).catch(() => {});
        const learnerId = learnerIds[Math.floor(random() * learnerIds.length)];
        if (signal.aborted || learnerId === undefined) return;
        const pupil = await arrive(learnerId);
        await step(pupil, now(), Math.floor(now() / dayMs), random() < 0.15 ? "review" : "practice");
      }
    },
  };
}

interface Planned {
  readonly at: number;
  readonly sitting: number;
  readonly sessionType: SessionType;
}

/** The first sitting begins with a placement, every fifth is a mock test. */
function backlogOf(plan: readonly Sitting[]): Planned[] {
  return plan.flatMap(({ session, at }) =>
    at.map((t, i) => ({ at: t, sitting: session, sessionType: sessionTypeOf(session, i) })),
  );
}

function sessionTypeOf(session: number, i: number): SessionType {
  if (session === 0 && i < 6) return "placement";
  return session % 5 === 4 ? "mock_test" : "practice";
}

interface NextReply {
  readonly selectionId: string;
  readonly items: readonly { readonly itemId: string }[];
}

interface ScoresReply {
  readonly interactions: number;
  readonly skills: readonly { readonly skillId: string; readonly mastery: number }[];
}
