import type { ItemFields, SkillFields, TrackFields } from "../events.ts";

/** What authors have published, folded from the item, skill and track streams. `revision` is that of the stream. */
export interface Item extends ItemFields {
  readonly revision: number;
  readonly retired: boolean;
}
export interface Skill extends SkillFields {
  readonly revision: number;
  readonly retired: boolean;
}
export interface Track extends TrackFields {
  readonly revision: number;
  readonly retired: boolean;
}

/** Owned and updated in place by one follower of the log; everyone else reads. */
export interface Catalogue {
  /** Of the last catalogue event folded in. */
  position: number;
  readonly items: Map<string, Item>;
  readonly skills: Map<string, Skill>;
  readonly tracks: Map<string, Track>;
}
