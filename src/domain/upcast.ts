import { currentSchemaVersion } from "./events.ts";
import { type StoredEvent, UnreadableEvent } from "./stored-event.ts";

/** Brings the data of an event of an older schema version to the current one. Throws on a version from the future. */
export function upcast(stored: StoredEvent, schemaVersion: number): unknown {
  if (schemaVersion > currentSchemaVersion) {
    throw new UnreadableEvent(
      stored,
      `schema version ${schemaVersion}, but this Proximal reads up to ${currentSchemaVersion}; upgrade it`,
    );
  }
  return stored.data;
}
