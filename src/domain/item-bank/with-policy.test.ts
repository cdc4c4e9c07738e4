import { expect, test } from "vitest";
import { selectionInput } from "../../../test/support/selection-inputs.ts";
import { policySchema } from "../events.ts";
import { withPolicy } from "./bank.ts";

test("a bank under another policy: the same items, the kinds of item as they are", () => {
  const { bank } = selectionInput({
    items: { video: { kind: "video" }, task: {} },
    policy: { itemKinds: ["exercise"] },
  });
  const other = withPolicy(bank, policySchema.parse({ targetSuccess: 0.6 }), "t@1/arm");
  expect(other).toMatchObject({ policyVersion: "t@1/arm", policy: { targetSuccess: 0.6, itemKinds: ["exercise"] } });
  expect(other.allItems).toBe(bank.allItems);
  expect(bank.policy.targetSuccess).toBe(0.8);
});
