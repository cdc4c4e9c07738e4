import type { Policy } from "../../domain/events.ts";
import { bankForLearner, withPolicy } from "../../domain/item-bank/bank.ts";
import type { ItemBank } from "../../domain/item-selection/selection.ts";
import type { FoldPolicy } from "../../domain/learner/learner-state.ts";
import { changed, type PolicyChange } from "./input.ts";

/** How choices are made otherwise. */
export interface Variant {
  /** Of the learner's own arm, where there is an experiment, with the fields changed. */
  bank(bank: ItemBank, learnerId: string): ItemBank;
  /** What of a policy shapes the state itself, changed. */
  foldPolicy(policy: Policy): Policy;
  /** Whether states come out the same, as far as the policy goes. */
  readonly foldsAlike: boolean;
}

/** Null: the policies as they were. */
export function variantOf(change: PolicyChange | null): Variant {
  if (change === null) return { bank: bankForLearner, foldPolicy: (policy) => policy, foldsAlike: true };
  // Each policy and bank is changed once: what is prepared for them is found by their identity.
  const policies = new WeakMap<Policy, Policy>();
  const banks = new WeakMap<ItemBank, ItemBank>();
  const policyOf = (policy: Policy): Policy => {
    const known = policies.get(policy) ?? changed(policy, change);
    policies.set(policy, known);
    return known;
  };
  return {
    bank(bank, learnerId) {
      const own = bankForLearner(bank, learnerId);
      const known = banks.get(own) ?? withPolicy(own, policyOf(own.policy), `${own.policyVersion}+changed`);
      banks.set(own, known);
      return known;
    },
    foldPolicy: policyOf,
    foldsAlike: foldFields.every((name) => !Object.hasOwn(change, name)),
  };
}

const foldFields: readonly (keyof FoldPolicy)[] = ["reviewBy", "reviews", "masteryNeeds"];
