import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { type Rendered, rendered } from "./rendered.ts";
import { createRowMemory, KeptField, type RowMemory } from "./row-memory.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Of this process: JavaScript's heap and what buffers hold outside of it. */
function bytesHeld(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function fill(memory: RowMemory, learners: number, bytes: number, answer: number): void {
  for (let n = 0; n < learners; n += 1) {
    const field = new KeptField("n1.lr-full.f5.p1", `learner-${n}`, Buffer.alloc(bytes, n), memory.grew);
    memory.put(field, "next");
    if (answer === 0) continue;
    const made: Rendered = rendered({ revision: n, at: 0, holdsUntil: null }, `${n}`, "x".repeat(answer));
    field.make("a request", 1, made);
  }
}

test.each([
  ["rows alone", 1_000, 0],
  ["rows and an answer of each", 1_000, 3_300],
  ["small rows and answers", 100, 300],
])("what is counted is what is held, within a quarter: %s", (_what, bytes, answer) => {
  const learners = 10_000;
  // Whatever is made once is made by now.
  fill(createRowMemory(1e9), 500, bytes, answer);
  const memory = createRowMemory(1e9);
  const before = bytesHeld();
  fill(memory, learners, bytes, answer);
  const held = bytesHeld() - before;
  const counted = memory.held().bytes;
  expect(memory.held().learners).toBe(learners);
  expect(counted / held).toBeGreaterThan(0.8);
  expect(counted / held).toBeLessThan(1.25);
});
