import type { EventStoreDbLog } from "../../../src/adapters/event-store/eventstoredb/log.ts";
import type { AppendRequest, AppendResult, StoredEvent } from "../../../src/ports/event-store.ts";

/**
 * The same log under names of streams that nobody used before: a server given from outside cannot be emptied. The
 * category, the part before the first dash, stays.
 */
export function apart(log: EventStoreDbLog, mark: string): EventStoreDbLog {
  const out = (stream: string): string => {
    const [category = "", ...rest] = stream.split("-");
    return rest.length === 0 ? `${category}-${mark}` : `${category}-${mark}.${rest.join("-")}`;
  };
  const back = (text: string): string => text.replaceAll(`-${mark}.`, "-").replaceAll(`-${mark}`, "");
  const event = (stored: StoredEvent): StoredEvent => ({ ...stored, stream: back(stored.stream) });
  const request = (asked: AppendRequest): AppendRequest =>
    asked.stream === "" ? asked : { ...asked, stream: out(asked.stream) };
  const result = (given: AppendResult): AppendResult => {
    if (given.status === "conflict") return { ...given, why: back(given.why) };
    return given.status === "duplicate" ? { ...given, existing: given.existing.map(event) } : given;
  };
  return {
    ...log,
    append: async (requests) => (await log.append(requests.map(request))).map(result),
    readStream: async (stream, options) => (await log.readStream(out(stream), options)).map(event),
    async read(after, limit, filter) {
      const page = await log.read(after, limit, filter);
      return { ...page, events: page.events.map(event) };
    },
  };
}
