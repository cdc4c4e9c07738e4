import { newBktKnowledge, plainBkt, schoolBkt } from "./bkt.ts";
import { newForgettingKnowledge } from "./forgetting.ts";
import { newIrtGrowthKnowledge } from "./irt-growth.ts";
import type { Knowledge, KnowledgeSource } from "./knowledge.ts";

/**
 * bkt: skills are known or not, all learners alike. school: the same, with learners and items that differ, and some
 * forgetting; the class of the demo. irt: levels that grow with practice. forgetting: recall falls by a power law.
 */
export const generatorNames = ["bkt", "school", "irt", "forgetting"] as const;
export type GeneratorName = (typeof generatorNames)[number];

const makers: Readonly<Record<GeneratorName, (source: KnowledgeSource) => Knowledge>> = {
  bkt: (source) => newBktKnowledge(source, plainBkt),
  school: (source) => newBktKnowledge(source, schoolBkt),
  irt: (source) => newIrtGrowthKnowledge(source),
  forgetting: (source) => newForgettingKnowledge(source),
};

export const newKnowledge = (name: GeneratorName, source: KnowledgeSource): Knowledge => makers[name](source);
