import { setTimeout as sleep } from "node:timers/promises";
import { abilityOf, hashed, isCorrect, learnerName } from "../k6/latent.ts";
import { courseItems } from "./course.ts";
import type { Target } from "./target.ts";

/** Answers in one request. */
const batch = 500;
/** Requests under way at once. */
const lanes = 4;
const drainMs = 600_000;
const attemptsMax = 60;

/** A past for each learner, so that lists are personal and rows as large as they are in use. */
export async function givePast(
  target: Target,
  { users, answers }: { readonly users: number; readonly answers: number },
  tell: (done: number, all: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const all = users * answers;
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < all) {
      const from = next;
      next = Math.min(all, from + batch);
      const body = Array.from({ length: next - from }, (_, k) => pastAnswer(from + k, users));
      await postPast(target, body, signal);
      done += body.length;
      tell(done, all);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Refused for now, a busy machine is given time: ids make it safe to post the same again. */
async function postPast({ commandUrl, key }: Target, answers: readonly object[], signal: AbortSignal): Promise<void> {
  const body = JSON.stringify(answers);
  for (let attempt = 1; ; attempt += 1) {
    const reply = await fetch(`${commandUrl}/v1/interactions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(60_000)]),
    });
    const text = await reply.text();
    if (reply.ok) {
      const { rejected } = JSON.parse(text) as { rejected: number };
      if (rejected === 0) return;
    }
    if (reply.status !== 503 || attempt === attemptsMax) {
      throw new Error(`the past of the learners was refused: ${reply.status} ${text.slice(0, 300)}`);
    }
    await sleep(1000 * Number(reply.headers.get("retry-after") ?? 1), null, { signal });
  }
}

/** The n-th answer of all: learners take turns, and begin with the items that need nothing. */
function pastAnswer(n: number, users: number): object {
  const [index, round] = [n % users, Math.floor(n / users)];
  const item = courseItems[(round * 7 + (index % 12)) % 24] ?? courseItems[0];
  if (item === undefined) throw new Error("the course is empty");
  const correct = isCorrect(abilityOf(index), item, hashed(n));
  const answer = { itemId: item.itemId, kind: "answer", correct, durationMs: 5_000 };
  return { id: `past-${users}-${n}`, learnerId: learnerName(index), ...answer };
}

interface LagReply {
  readonly projections: readonly { readonly behindEvents: number; readonly started: boolean }[];
}

/** Seconds until every projection has folded all that is in the log; null where it takes longer than ten minutes. */
export async function untilDrained({ commandUrl, key }: Target, signal: AbortSignal): Promise<number | null> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < drainMs) {
    signal.throwIfAborted();
    const lag = await fetch(`${commandUrl}/v1/ops/lag`, {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    }).then(
      async (reply) => (reply.ok ? ((await reply.json()) as LagReply) : null),
      () => null,
    );
    if (lag?.projections.every(({ started, behindEvents }) => started && behindEvents === 0) === true) {
      return (performance.now() - startedAt) / 1000;
    }
    await sleep(200, null, { signal });
  }
  return null;
}

/** Asks for the next items of all learners in turn, a few at a time, for so long: compiled code and warm caches. */
export async function warmUp(target: Target, users: number, seconds: number, signal: AbortSignal): Promise<void> {
  const until = performance.now() + seconds * 1000;
  let n = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < until && !signal.aborted) {
      const learner = learnerName(n++ % users);
      const reply = await fetch(`${target.queryUrl}/v1/learners/${learner}/next?count=10`, {
        headers: { authorization: `Bearer ${target.key}` },
        signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
      });
      await reply.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  signal.throwIfAborted();
}
