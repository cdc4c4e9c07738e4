import type { DomainEvent, Experiment, ItemFields, SkillFields, TrackFields } from "../events.ts";
import { idOf } from "../streams.ts";

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
  /** Every experiment there ever was, as it was defined last, and whose it is. */
  readonly experiments: Map<string, { readonly trackId: string; readonly definition: Experiment }>;
  /**
   * By stream: the revision of its last event that could not be read. What it said is unknown, so the entry stays as
   * it was, but a command has to append after it.
   */
  readonly unreadable: Map<string, number>;
}

export function emptyCatalogue(): Catalogue {
  return {
    position: 0,
    items: new Map(),
    skills: new Map(),
    tracks: new Map(),
    experiments: new Map(),
    unreadable: new Map(),
  };
}

/**
 * Folds one event in, in place. Returns whether it changed what the catalogue says; an event of another category, or
 * one folded in before (its revision is not above the entry's), changes nothing.
 */
export function evolveCatalogue(catalogue: Catalogue, event: DomainEvent): boolean {
  const changed = fold(catalogue, event);
  if (changed) catalogue.position = Math.max(catalogue.position, event.position);
  return changed;
}

function fold(catalogue: Catalogue, event: DomainEvent): boolean {
  const { revision } = event;
  switch (event.type) {
    case "ItemPublished":
    case "ItemRevised":
      return put(catalogue.items, event.data.itemId, { ...event.data, revision, retired: false });
    case "ItemRetired":
      return retire(catalogue.items, event.data.itemId, revision);
    case "SkillDefined":
      return put(catalogue.skills, event.data.skillId, { ...event.data, revision, retired: false });
    case "SkillRetired":
      return retire(catalogue.skills, event.data.skillId, revision);
    case "TrackDefined":
      if (!put(catalogue.tracks, event.data.trackId, { ...event.data, revision, retired: false })) return false;
      noteExperiment(catalogue, event.data);
      return true;
    case "TrackRetired":
      return retire(catalogue.tracks, event.data.trackId, revision);
    default:
      return false;
  }
}

function noteExperiment({ experiments }: Catalogue, { trackId, experiment }: TrackFields): void {
  if (experiment !== undefined) experiments.set(experiment.experimentId, { trackId, definition: experiment });
}

interface Entry {
  readonly revision: number;
  readonly retired: boolean;
}

function put<E extends Entry>(entries: Map<string, E>, id: string, entry: E): boolean {
  const before = entries.get(id);
  if (before !== undefined && before.revision >= entry.revision) return false;
  entries.set(id, entry);
  return true;
}

function retire<E extends Entry>(entries: Map<string, E>, id: string, revision: number): boolean {
  const before = entries.get(id);
  if (before === undefined) return false;
  return put(entries, id, { ...before, revision, retired: true });
}

/** Notes an event of a catalogue stream that this version of the code cannot read. */
export function skipUnreadable(
  catalogue: Catalogue,
  event: { readonly stream: string; readonly revision: number },
): void {
  const before = catalogue.unreadable.get(event.stream) ?? 0;
  if (event.revision > before) catalogue.unreadable.set(event.stream, event.revision);
}

/** Revision the entry's stream stands at as far as the catalogue has read; 0 for no stream. */
export function streamRevision(catalogue: Catalogue, entries: ReadonlyMap<string, Entry>, stream: string): number {
  return Math.max(entries.get(idOf(stream))?.revision ?? 0, catalogue.unreadable.get(stream) ?? 0);
}
