import { createHmac } from "node:crypto";
import { LRUCache } from "lru-cache";

/** What an id is of: the same text as the id of a learner and of a session has two pseudonyms. */
export type IdDomain = "learner" | "session" | "selection" | "interaction" | "event" | "other";

export interface Pseudonyms {
  of(domain: IdDomain, id: string): string;
  /** A copy of any JSON with what may tell a learner replaced: see {@link fieldRules}. */
  inJson(value: unknown): unknown;
  /** False: everything stays as it is. */
  readonly replace: boolean;
}

/** Ids of things that authors made, and texts of theirs: they say nothing of a learner. */
const catalogueIds: ReadonlySet<string> = new Set([
  ...["itemId", "itemIds", "skillId", "skillIds", "trackId", "trackIds", "experimentId"],
  ...["pinnedItemIds", "barredItemIds", "parentIds", "externalIds", "responseId"],
]);

const domains: Readonly<Record<string, IdDomain>> = {
  ...{ learnerId: "learner", sessionId: "session", selectionId: "selection" },
  ...{ interactionId: "interaction", eventId: "event" },
};
/** Free text of clients, and marks of requests. */
const dropped: ReadonlySet<string> = new Set(["source", "traceparent", "apiKeyId"]);

/** What becomes of a field: an id that is not known to be an author's is taken for a learner's. */
export function fieldRule(name: string): "keep" | "drop" | IdDomain {
  if (dropped.has(name)) return "drop";
  if (!/Ids?$/.test(name) || catalogueIds.has(name)) return "keep";
  return domains[name] ?? "other";
}

const letters: Readonly<Record<IdDomain, string>> = {
  ...{ learner: "L", session: "S", selection: "C", interaction: "I", event: "E", other: "X" },
};
const cached = 50_000;

/**
 * HMAC-SHA256 of the id under the key, 96 bits of it as hex, after a letter for what it is of. Who has no key cannot try
 * ids against them. Among ten million learners two share one with a probability of 10^-15.
 */
export function createPseudonyms(key: string): Pseudonyms {
  const known = new LRUCache<string, string>({ max: cached });

  function of(domain: IdDomain, id: string): string {
    const text = `${domain}\n${id}`;
    const before = known.get(text);
    if (before !== undefined) return before;
    const made = letters[domain] + createHmac("sha256", key).update(text).digest("hex").slice(0, 24);
    // Those of learners and sessions come again and again, the others once or twice.
    if (domain === "learner" || domain === "session") known.set(text, made);
    return made;
  }

  function inJson(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(inJson);
    if (typeof value !== "object" || value === null) return value;
    const copy: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(value)) {
      const rule = fieldRule(name);
      if (rule === "drop") continue;
      copy[name] = rule === "keep" ? inJson(field) : replaced(rule, field);
    }
    return copy;
  }

  const replaced = (domain: IdDomain, field: unknown): unknown => {
    if (Array.isArray(field)) return field.map((one) => replaced(domain, one));
    return typeof field === "string" ? of(domain, field) : inJson(field);
  };

  return { of, inJson, replace: true };
}

export const plainIds: Pseudonyms = { of: (_domain, id) => id, inJson: (value) => value, replace: false };
