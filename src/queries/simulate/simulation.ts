import { z } from "zod";
import { policySchema } from "../../domain/events.ts";
import { modelNames } from "../../domain/learner-model/model-names.ts";
import { graphNames } from "../../domain/simulated-learners/course.ts";
import { generatorNames } from "../../domain/simulated-learners/generators.ts";

/** The policy under test, then what it is held against: policies/. */
export const policyNames = [
  "proximal",
  "random",
  "round-robin",
  "popular",
  "random-unmastered",
  "frontier",
  "max-information",
  "elo-target",
  "zpdes",
] as const;
export type PolicyName = (typeof policyNames)[number];

/** What a simulation is made of. Counts are of one class; every class is one seed. */
export const simulationSchema = z.object({
  generators: z
    .array(z.enum(generatorNames))
    .min(1)
    .default([...generatorNames]),
  policies: z
    .array(z.enum(policyNames))
    .min(1)
    .default([...policyNames]),
  seeds: z.int().min(2).max(10_000).default(20),
  /** Of the first class; the others have the numbers after it. */
  firstSeed: z.int().min(0).default(1),
  learners: z.int().min(1).max(10_000).default(20),
  skills: z.int().min(1).max(500).default(10),
  itemsPerSkill: z.int().min(1).max(1000).default(20),
  graph: z.enum(graphNames).default("chain"),
  /** Standard deviation of the items' difficulties, logits. */
  spread: z.number().min(0).max(4).default(1),
  /** Standard deviation of the author's guesses of them, logits. */
  authorError: z.number().min(0).max(4).default(0.5),
  /** Shares of learners. */
  careless: z.number().min(0).max(1).default(0.1),
  absent: z.number().min(0).max(1).default(0.1),
  /** Items each learner is given before what they know is measured, for each skill of the course. */
  budgetPerSkill: z.number().min(1).max(1000).default(12),
  /** Who is not called a master of all skills then goes on up to so many, for each skill. */
  horizonPerSkill: z.number().min(1).max(5000).default(40),
  model: z.enum(modelNames).default(modelNames[0]),
  /** Of the track that is simulated. */
  policy: policySchema.prefault({}),
});
export type Simulation = z.infer<typeof simulationSchema>;

/** One class under one policy. Classes of the same seed and generator are the same learners on the same course. */
export interface ClassTask {
  readonly generator: Simulation["generators"][number];
  readonly policy: PolicyName;
  readonly seed: number;
}

/** Policies of one class follow each other. */
export function classTasks({ generators, policies, seeds, firstSeed }: Simulation): ClassTask[] {
  return Array.from({ length: seeds }, (_, index) => firstSeed + index).flatMap((seed) =>
    generators.flatMap((generator) => policies.map((policy) => ({ generator, policy, seed }))),
  );
}

export const placementPolicies = ["proximal", "max-information", "random"] as const;

/** One class that is placed: items until each learner's ability is known. */
export interface PlacementTask {
  readonly policy: (typeof placementPolicies)[number];
  readonly seed: number;
}

export const placementTasks = ({ seeds, firstSeed }: Simulation): PlacementTask[] =>
  Array.from({ length: seeds }, (_, index) => firstSeed + index).flatMap((seed) =>
    placementPolicies.map((policy) => ({ policy, seed })),
  );
