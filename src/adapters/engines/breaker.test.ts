import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type BreakerState, createBreaker, guarded, NotAsked } from "./breaker.ts";

class Gone extends Error {}
class Refused extends Error {}

function watched(opensAt: Parameters<typeof createBreaker>[0]["opensAt"], openMs = 20) {
  const states: BreakerState[] = [];
  let refused = 0;
  let why: unknown = null;
  const guard = createBreaker({
    ...{ engine: "the engine", opensAt, openMs, isFailure: (error) => error instanceof Gone },
    refusal: (message, cause) => new Refused(message, { cause }),
    onChange: (state, reason) => {
      states.push(state);
      why = reason;
    },
    onRefused: () => {
      refused += 1;
    },
  });
  return { guard, states, refused: () => refused, why: () => why };
}

const gone = () => Promise.reject(new Gone("no answer"));
const failing = (guard: <T>(work: () => Promise<T>) => Promise<T>) => guard(gone).catch((error: unknown) => error);

test("failures in a row open it: nobody waits and nobody asks, and it says so", async () => {
  const { guard, states, refused, why } = watched({ failuresInARow: 3 });
  await failing(guard);
  await failing(guard);
  await guard(async () => "an answer between them counts anew");
  for (let i = 0; i < 3; i += 1) expect(await failing(guard)).toBeInstanceOf(Gone);
  let asked = false;
  const refusal = await guard(async () => {
    asked = true;
  }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(Refused);
  expect((refusal as Error).message).toBe("the engine failed just now and is not asked for a moment");
  expect((refusal as Error).cause).toBeInstanceOf(NotAsked);
  expect({ asked, states, refused: refused() }).toEqual({ asked: false, states: ["open"], refused: 1 });
  expect(why()).toBeInstanceOf(Gone);
});

test("one call tries it again, the others are refused meanwhile and not kept waiting", async () => {
  const { guard, states, refused } = watched({ failuresInARow: 1 });
  await failing(guard);
  await sleep(25);
  let answer = (_: string): void => undefined;
  const trying = guard(() => new Promise<string>((resolve) => (answer = resolve)));
  for (let i = 0; i < 3; i += 1) await expect(guard(async () => i)).rejects.toBeInstanceOf(Refused);
  answer("here again");
  expect(await trying).toBe("here again");
  expect(await guard(async () => "all")).toBe("all");
  expect(states).toEqual(["open", "half_open", "closed"]);
  expect(refused()).toBe(3);
});

test("a try that fails leaves it open", async () => {
  const { guard, states } = watched({ failuresInARow: 1 });
  await failing(guard);
  await sleep(25);
  expect(await failing(guard)).toBeInstanceOf(Gone);
  expect(await failing(guard)).toBeInstanceOf(Refused);
  expect(states).toEqual(["open", "half_open", "open"]);
});

test("a refusal by the engine is an answer", async () => {
  const { guard, states } = watched({ failuresInARow: 1 });
  for (let i = 0; i < 5; i += 1) {
    await expect(guard(() => Promise.reject(new RangeError("no")))).rejects.toBeInstanceOf(RangeError);
  }
  expect(states).toEqual([]);
});

test("by share: one dead server of three does not take the others with it, all three do", async () => {
  const { guard, states } = watched({ failedShare: 0.8 });
  for (let i = 0; i < 90; i += 1) await (i % 3 === 0 ? failing(guard) : guard(async () => i));
  expect(states).toEqual([]);
  for (let i = 0; i < 400; i += 1) await failing(guard);
  expect(states).toEqual(["open"]);
});

test("the named methods of an engine are guarded, the others are its own", async () => {
  const { guard } = watched({ failuresInARow: 1 }, 60_000);
  const engine = guarded({ read: (n: number) => (n < 0 ? gone() : Promise.resolve(n)), name: () => "engine" }, guard, [
    "read",
  ]);
  expect(await engine.read(1)).toBe(1);
  await expect(engine.read(-1)).rejects.toBeInstanceOf(Gone);
  await expect(engine.read(1)).rejects.toBeInstanceOf(Refused);
  expect(engine.name()).toBe("engine");
});
