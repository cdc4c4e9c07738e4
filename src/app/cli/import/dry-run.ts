import type { CatalogueCommandDeps } from "../../../commands/handle.ts";
import type { DomainEvent } from "../../../domain/events.ts";
import { type Catalogue, evolveCatalogue } from "../../../domain/item-bank/catalogue.ts";
import { idOf } from "../../../domain/streams.ts";
import type { AppendRequest, AppendResult, NewEvent } from "../../../ports/event-store.ts";

/** What a run would store. */
export interface PlannedChange {
  /** Of the event: "ItemPublished", "SkillDefined", ... */
  readonly type: string;
  readonly id: string;
  readonly title: string | null;
  /** Of a revision: the fields that change. */
  readonly fields: readonly string[];
}

/**
 * The commands on a copy of the catalogue, with a log that keeps nothing: they decide as they would, each on what those before
 * it came to, and `changes` says what would be stored.
 */
export function dryRun(deps: CatalogueCommandDeps): { commands: CatalogueCommandDeps; changes: PlannedChange[] } {
  const { catalogue: real } = deps.catalogue;
  const { items, skills, tracks } = real;
  const copy: Catalogue = { ...real, items: new Map(items), skills: new Map(skills), tracks: new Map(tracks) };
  const changes: PlannedChange[] = [];
  const appendOne = ({ stream, expected, events }: AppendRequest): AppendResult => {
    let revision = typeof expected === "number" ? expected : 0;
    for (const event of events) {
      changes.push(changeOf(event, idOf(stream), copy));
      revision += 1;
      evolveCatalogue(copy, { ...event, stream, revision, position: real.position } as DomainEvent);
    }
    return { status: "appended", revision, position: real.position };
  };
  return {
    commands: {
      ...deps,
      eventStore: { append: async (requests) => requests.map(appendOne) },
      catalogue: { catalogue: copy, version: 0, bank: () => null, catchUp: async () => {} },
    },
    changes,
  };
}

function changeOf({ type, data }: NewEvent, id: string, { items, skills, tracks }: Catalogue): PlannedChange {
  const entries = type.startsWith("Item") ? items : type.startsWith("Skill") ? skills : tracks;
  const before = entries.get(id) as Record<string, unknown> | undefined;
  const after = data as Record<string, unknown>;
  const title = typeof after.title === "string" ? after.title : ((before?.title as string | undefined) ?? null);
  if (before === undefined || before.retired === true || type.endsWith("Retired"))
    return { type, id, title, fields: [] };
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const own of ["revision", "retired"]) names.delete(own);
  const fields = [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  return { type, id, title, fields };
}
