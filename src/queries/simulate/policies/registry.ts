import type { PolicyName } from "../simulation.ts";
import { eloTarget, frontier, maxInformation, popular, randomItem, randomUnmastered, roundRobin } from "./baselines.ts";
import type { StartPolicy } from "./policy.ts";
import { proximal } from "./proximal.ts";
import { zpdes } from "./zpdes.ts";

export const policies: Readonly<Record<PolicyName, StartPolicy>> = {
  proximal,
  random: randomItem,
  "round-robin": roundRobin,
  popular,
  "random-unmastered": randomUnmastered,
  frontier,
  "max-information": maxInformation,
  "elo-target": eloTarget,
  zpdes,
};
