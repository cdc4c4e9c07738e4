import { expect, test } from "vitest";
import { LogBusy } from "../commands/group-commit.ts";
import type { AppendRequest } from "../ports/event-store.ts";
import { patientLog } from "./patient-log.ts";

const batch = (name: string): AppendRequest[] => [{ stream: name, expected: "any", events: [] }];

/** Takes in what comes, each answered a little later, but refuses so many calls first. */
function busyLog(refusals: number) {
  const taken: string[] = [];
  let left = refusals;
  return {
    taken,
    append: async ([request]: readonly AppendRequest[]) => {
      if (left > 0) {
        left -= 1;
        throw new LogBusy("full");
      }
      taken.push(request?.stream ?? "");
      await new Promise((resolve) => setTimeout(resolve, 20));
      return [];
    },
  };
}

test("batches after one that was refused wait until it is taken in", async () => {
  const log = busyLog(1);
  const { append } = patientLog(log);
  await Promise.all(["one", "two", "three"].map((name) => append(batch(name))));
  expect(log.taken).toEqual(["one", "two", "three"]);
});

test("what was taken in does not keep the next one waiting for its answer", async () => {
  let underWay = 0;
  let most = 0;
  const log = {
    append: async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, 50));
      underWay -= 1;
      return [];
    },
  };
  const { append } = patientLog(log);
  await Promise.all(["one", "two", "three"].map((name) => append(batch(name))));
  expect(most).toBe(3);
});

test("a batch that fails is its own failure, and the next goes on", async () => {
  let calls = 0;
  const log = {
    append: async () => {
      calls += 1;
      if (calls === 1) throw new Error("gone");
      return [];
    },
  };
  const { append } = patientLog(log);
  const [first, second] = await Promise.allSettled([append(batch("one")), append(batch("two"))]);
  expect([first.status, second.status]).toEqual(["rejected", "fulfilled"]);
});
