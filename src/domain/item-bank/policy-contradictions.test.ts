import { describe, expect, it } from "vitest";
import { policySchema, type TrackFields, trackDefinedSchema } from "../events.ts";
import { contradictionOf } from "./policy-contradictions.ts";

const items = new Map([
  ["task", { kind: "exercise" }],
  ["film", { kind: "video" }],
]);
const contradictionIn = (track: object) =>
  contradictionOf(trackDefinedSchema.parse({ trackId: "t", title: "T", ...track }) as TrackFields, items);

describe("what a track asks for", () => {
  it.each([
    ["policy.prerequisiteThreshold", { policy: { masteryThreshold: 0.7 } }],
    ["policy.exposure.restDays", { policy: { exposure: { restDays: 7 } } }],
    ["policy.topics.0", { policy: { topics: [{ minShare: 0.2 }] } }],
    ["policy.topics.0", { policy: { topics: [{ skillId: "a", tag: "b" }] } }],
    ["policy.topics.1", { policy: { topics: [{ tag: "b" }, { tag: "b", maxShare: 0.5 }] } }],
    ["policy.topics.0.minShare", { policy: { topics: [{ tag: "b", minShare: 0.6, maxShare: 0.5 }] } }],
    ["policy.topics", { policy: { topics: ["a", "b", "c"].map((tag) => ({ tag, minShare: 0.4 })) } }],
    ["pinnedItemIds.1", { pinnedItemIds: ["film", "task"], barredItemIds: ["task"] }],
    ["pinnedItemIds.0", { pinnedItemIds: ["film"], policy: { itemKinds: ["exercise"] } }],
    [
      "experiment.arms.1.policy.prerequisiteThreshold",
      {
        experiment: {
          experimentId: "e",
          arms: [
            { arm: "a", share: 0.5 },
            { arm: "b", share: 0.5, policy: { prerequisiteThreshold: 0.99 } },
          ],
        },
      },
    ],
  ])("contradicts itself at %s: %j", (path, track) => {
    expect(contradictionIn(track)?.path).toBe(path);
  });

  it.each([
    {},
    { policy: policySchema.parse({}) },
    { policy: { masteryThreshold: 0.7, prerequisiteThreshold: 0.7 } },
    { policy: { topics: [...Array(10)].map((_, n) => ({ tag: `t${n}`, minShare: 0.1 })) } },
    { policy: { topics: [{ skillId: "a" }, { tag: "a", maxShare: 0.1 }], exposure: { timesMax: 1 } } },
    { pinnedItemIds: ["film", "unknown"], policy: { itemKinds: ["video"] } },
  ])("can be: %j", (track) => {
    expect(contradictionIn(track)).toBeNull();
  });
});
