import { traceparentOf } from "../../domain/stored-event.ts";
import type { AppendRequest, EventStore } from "../../ports/event-store.ts";
import type { StreamMessage, StreamReader, StreamWriter } from "../../ports/event-stream.ts";
import type { ReadModels } from "../../ports/read-models.ts";
import type { SpanAttributes, SpanStart, Tracing } from "../../ports/tracing.ts";

/** A commit of the log, in the trace of each request whose events are in it. */
export function tracedAppends<T extends Pick<EventStore, "append">>(store: T, tracing: Tracing, system: string): T {
  const name = "append events";
  return {
    ...store,
    append(requests: readonly AppendRequest[]) {
      const attributes = {
        ...{ "db.system.name": system, "db.operation.name": "append", "db.operation.batch.size": requests.length },
      };
      return tracing.withinEach(causesOfRequests(requests), { name, kind: "client", attributes }, () =>
        store.append(requests),
      );
    },
  };
}

/** Sending to the stream and taking from it, in the traces of what the messages tell of. */
export function tracedStream<T extends StreamWriter & StreamReader>(stream: T, tracing: Tracing): T {
  const spanOf = (type: "send" | "process", messages: readonly StreamMessage[], more: SpanAttributes): SpanStart => ({
    name: `${type} ${stream.name}`,
    kind: type === "send" ? "producer" : "consumer",
    attributes: {
      ...{ "messaging.system": "kafka", "messaging.operation.type": type, "messaging.operation.name": type },
      ...{ "messaging.destination.name": stream.name, "messaging.batch.message_count": messages.length, ...more },
    },
  });
  return {
    ...stream,
    send: (messages: readonly StreamMessage[]) =>
      tracing.withinEach(causesOfMessages(messages), spanOf("send", messages, {}), () => stream.send(messages)),
    consume: (consumer: Parameters<StreamReader["consume"]>[0]) =>
      stream.consume({
        assigned: consumer.assigned,
        handle(partition, messages, signal) {
          const span = spanOf("process", messages, { "messaging.destination.partition.id": String(partition) });
          return tracing.withinEach(causesOfMessages(messages), span, () =>
            consumer.handle(partition, messages, signal),
          );
        },
      }),
  };
}

/** What queries read and projections write, within the span of whoever asks. */
export function tracedRows<T extends ReadModels>(rows: T, tracing: Tracing, system: string): T {
  const span = (operation: string, size: number): SpanStart => ({
    name: `${operation} rows`,
    kind: "client",
    attributes: {
      ...{ "db.system.name": system, "db.operation.name": operation },
      ...(size > 1 ? { "db.operation.batch.size": size } : {}),
    },
  });
  return {
    ...rows,
    get: (key: string, field: string) => tracing.within(span("get", 1), () => rows.get(key, field)),
    getMany: (keys: readonly string[], field: string) =>
      tracing.within(span("get", keys.length), () => rows.getMany(keys, field)),
    read: (keys: readonly string[], fields?: readonly string[]) =>
      tracing.within(span("read", keys.length), () => rows.read(keys, fields)),
    write: (writes: Parameters<ReadModels["write"]>[0]) =>
      tracing.within(span("write", writes.length), () => rows.write(writes)),
    remove: (keys: readonly string[]) => tracing.within(span("remove", keys.length), () => rows.remove(keys)),
  };
}

function* causesOfRequests(requests: readonly AppendRequest[]): Iterable<string | undefined> {
  for (const { events } of requests) for (const event of events) yield event.metadata.traceparent;
}

function* causesOfMessages(messages: readonly StreamMessage[]): Iterable<string | undefined> {
  for (const { event } of messages) if (event !== null) yield traceparentOf(event);
}
