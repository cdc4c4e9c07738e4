import { eventSchemas } from "../../domain/events.ts";
import { isJsonObject } from "../../domain/json-object.ts";
import type { StoredEvent } from "../../domain/stored-event.ts";
import { categoryOf } from "../../domain/streams.ts";
import type { Pseudonyms } from "./pseudonyms.ts";
import type { EventRow } from "./tables.ts";

/**
 * An event as a row. It is not checked again: a field that is not what its column holds is null there, so that one broken
 * event ends no export.
 */
export function eventRow(event: StoredEvent, pseudonyms: Pseudonyms): EventRow {
  const { position, revision, type, stream, eventId } = event;
  const data: Readonly<Record<string, unknown>> = isJsonObject(event.data) ? event.data : {};
  const isInteraction = type === "InteractionRecorded";
  const experiment = isJsonObject(data.experiment) ? data.experiment : {};
  const id = (domain: Parameters<Pseudonyms["of"]>[0], value: unknown): string | null =>
    typeof value === "string" ? pseudonyms.of(domain, value) : null;
  return {
    ...{ position, revision, recordedAt: timeOf(event.recordedAt) ?? event.recordedAt },
    ...{ type: type as EventRow["type"], category: categoryOf(stream) as EventRow["category"] },
    eventId: pseudonyms.of("event", eventId),
    learnerId: id("learner", data.learnerId),
    itemId: text(data.itemId),
    interactionId: id("interaction", data.interactionId),
    kind: isInteraction ? (text(data.kind) as EventRow["kind"]) : null,
    correct: typeof data.correct === "boolean" ? data.correct : null,
    ...{ score: number(data.score), rating: number(data.rating), durationMs: number(data.durationMs) },
    hintCount: Number.isSafeInteger(data.hintCount) ? (data.hintCount as number) : null,
    skillIds: isInteraction && Array.isArray(data.skillIds) ? data.skillIds.map(String) : null,
    difficulty: isInteraction ? number(data.difficulty) : null,
    sessionId: id("session", data.sessionId),
    sessionType: text(data.sessionType) as EventRow["sessionType"],
    trackId: text(data.trackId),
    selectionId: id("selection", data.selectionId),
    experimentId: text(experiment.experimentId),
    arm: text(experiment.arm),
    occurredAt: timeOf(data.occurredAt),
    source: pseudonyms.replace ? null : text(data.source),
    data: isInteraction ? null : { ...(pseudonyms.inJson(data) as object), ...ownSource(type, data.source) },
  };
}

/** The package that an item is of, and where a served list came from, are no words of a client. */
const ownSource = (type: string, source: unknown): object =>
  type in eventSchemas && source !== undefined ? { source } : {};
const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

function timeOf(value: unknown): string | null {
  // Most are written like that already.
  if (typeof value !== "string") return null;
  if (value.length === 24 && value.endsWith("Z")) return value;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
