import { describe, expect, it } from "vitest";
import type { DomainEvent } from "../events.ts";
import { emptyCatalogue, evolveCatalogue, skipUnreadable, streamRevision } from "./catalogue.ts";
import type { CatalogueEvent } from "./decision.ts";

const place = (stream: string, revision: number, position: number) => ({
  eventId: `${stream}/${revision}`,
  stream,
  revision,
  position,
  recordedAt: "2026-01-01T00:00:00.000Z",
  metadata: { schemaVersion: 1 },
});
const at = (event: CatalogueEvent, stream: string, revision: number, position: number): DomainEvent =>
  ({ ...place(stream, revision, position), ...event }) as DomainEvent;

const item = { itemId: "i-1", title: "One", skillIds: [], kind: "exercise", tags: [] };
const published = at({ type: "ItemPublished", data: item }, "item-i-1", 1, 10);
const revised = at({ type: "ItemRevised", data: { ...item, title: "Two" } }, "item-i-1", 2, 11);
const retired = at({ type: "ItemRetired", data: { itemId: "i-1" } }, "item-i-1", 3, 12);

describe("evolveCatalogue", () => {
  it("publishes, revises, retires and brings back an item, with the revision of its stream", () => {
    const catalogue = emptyCatalogue();
    expect(evolveCatalogue(catalogue, published)).toBe(true);
    expect(catalogue.items.get("i-1")).toEqual({ ...item, revision: 1, retired: false });
    expect(evolveCatalogue(catalogue, revised)).toBe(true);
    expect(catalogue.items.get("i-1")).toMatchObject({ title: "Two", revision: 2 });
    expect(evolveCatalogue(catalogue, retired)).toBe(true);
    expect(catalogue.items.get("i-1")).toMatchObject({ title: "Two", revision: 3, retired: true });
    expect(evolveCatalogue(catalogue, { ...published, revision: 4, position: 13 })).toBe(true);
    expect(catalogue.items.get("i-1")).toMatchObject({ title: "One", revision: 4, retired: false });
    expect(catalogue.position).toBe(13);
  });

  it("folds each event once: a repeat changes nothing", () => {
    const catalogue = emptyCatalogue();
    for (const event of [published, revised, retired]) evolveCatalogue(catalogue, event);
    const before = structuredClone(catalogue);
    for (const event of [published, revised, retired]) expect(evolveCatalogue(catalogue, event)).toBe(false);
    expect(catalogue).toEqual(before);
  });

  it("keeps skills and tracks, retired ones too", () => {
    const catalogue = emptyCatalogue();
    evolveCatalogue(catalogue, at({ type: "SkillDefined", data: skill("a") }, "skill-a", 1, 1));
    evolveCatalogue(catalogue, at({ type: "SkillRetired", data: { skillId: "a" } }, "skill-a", 2, 2));
    expect(catalogue.skills.get("a")).toEqual({ ...skill("a"), revision: 2, retired: true });
    evolveCatalogue(catalogue, at({ type: "TrackRetired", data: { trackId: "t" } }, "track-t", 1, 3));
    expect(catalogue.tracks.size).toBe(0);
  });

  it("ignores what is not of the catalogue", () => {
    const answer = { ...place("learner-1", 1, 5), type: "InteractionRecorded", data: {} } as unknown as DomainEvent;
    const catalogue = emptyCatalogue();
    expect(evolveCatalogue(catalogue, answer)).toBe(false);
    expect(catalogue).toEqual(emptyCatalogue());
  });
});

describe("an event that cannot be read", () => {
  it("leaves the entry as it was, and commands append after it", () => {
    const catalogue = emptyCatalogue();
    expect(streamRevision(catalogue, catalogue.items, "item-i-1")).toBe(0);
    evolveCatalogue(catalogue, published);
    skipUnreadable(catalogue, { stream: "item-i-1", revision: 2 });
    expect(catalogue.items.get("i-1")).toMatchObject({ title: "One", revision: 1 });
    expect(streamRevision(catalogue, catalogue.items, "item-i-1")).toBe(2);
    evolveCatalogue(catalogue, { ...revised, revision: 3 });
    expect(streamRevision(catalogue, catalogue.items, "item-i-1")).toBe(3);
  });
});

function skill(skillId: string) {
  return { skillId, title: skillId, prerequisites: [] };
}
