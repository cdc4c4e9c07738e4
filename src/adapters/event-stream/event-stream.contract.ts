import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredEvent } from "../../domain/stored-event.ts";
import type { Consumption, StreamMessage, StreamReader, StreamWriter } from "../../ports/event-stream.ts";

export interface OpenedStream {
  readonly stream: StreamWriter & StreamReader;
  close(): Promise<void>;
}

const partitions = 3;

/** What every adapter of the event stream must do. `open` gives an empty stream of three partitions. */
export function eventStreamContract(name: string, open: () => Promise<OpenedStream>): void {
  describe(name, () => {
    let opened: OpenedStream;
    let stream: OpenedStream["stream"];
    let position = 0;
    let last = [0, 0, 0];
    beforeAll(async () => {
      opened = await open();
      stream = opened.stream;
    });
    afterAll(() => opened.close());

    /** The next message of a partition, as a relay would make it. */
    function message(partition: number, event: Partial<StoredEvent> | null = {}): StreamMessage {
      position += 1;
      const prev = last[partition] ?? 0;
      last = last.map((one, at) => (at === partition ? position : one));
      return { partition, position, prev, event: event === null ? null : eventAt(position, event) };
    }

    test("hands out what was sent, each partition in order, to one who takes them all", async () => {
      const worker = collector();
      const consumption = stream.consume(worker);
      const sent = Array.from({ length: 40 }, (_, at) => message(at % partitions));
      await stream.send(sent.slice(0, 25));
      await stream.send(sent.slice(25));
      await expect.poll(() => worker.messages.length, patience).toBe(40);
      await consumption.close();
      for (let partition = 0; partition < partitions; partition += 1) {
        expect(worker.of(partition)).toEqual(sent.filter((one) => one.partition === partition));
      }
      // A first try to join may fail, and ends with none.
      expect(worker.assignments.find((owned) => owned.length > 0)).toEqual([0, 1, 2]);
      expect(worker.assignments.at(-1)).toEqual([]);
    });

    test("what was handled is not handed out again after a good end, and what comes next is", async () => {
      const [sent, worker] = [message(1), collector()];
      await stream.send([sent]);
      const consumption = stream.consume(worker);
      await expect.poll(() => worker.messages, patience).toEqual([sent]);
      await consumption.close();
    });

    test("events come through as they are: names, nothing, what no schema knows, and large ones by a word of them", async () => {
      const worker = collector();
      const consumption = stream.consume(worker);
      const odd = [
        message(0, { type: "SomethingElse", data: { text: "ä \u0000 \u{1f600} \"' \n", nested: [null, { a: 1.5 }] } }),
        message(0, { data: null, metadata: null }),
        message(0, { metadata: { schemaVersion: 1, traceparent: "00-1-2-01", apiKeyId: "key", later: [true] } }),
        message(0, { stream: "learner-with-dashes ü" }),
        message(0, null),
      ];
      const large = message(0, { data: { text: "x".repeat(2_000_000) } });
      await stream.send([...odd, large, message(0)]);
      await expect.poll(() => worker.messages.length, patience).toBe(7);
      await consumption.close();
      expect(worker.messages.slice(0, 5)).toEqual(odd);
      const told = worker.messages[5];
      // It is there as a whole, or its reader is sent to the log for it.
      if (told?.event === null) expect(told).toEqual({ ...large, prev: large.position, event: null });
      else expect(told).toEqual(large);
    });

    test("what failed is handed out again", async () => {
      const sent = message(2);
      await stream.send([sent]);
      const worker = collector();
      let failures = 2;
      const { handle } = worker;
      const consumption = stream.consume({
        ...worker,
        async handle(partition, messages, signal) {
          failures -= 1;
          if (failures >= 0) throw new Error("the engine is away");
          await handle(partition, messages, signal);
        },
      });
      await expect.poll(() => worker.messages, patience).toEqual([sent]);
      await consumption.close();
    });

    test("partitions are shared, each has one owner at a time, and the work ends before the owner changes", async () => {
      const workers = [collector(), collector()];
      const owners = new Map<number, unknown>();
      const both: string[] = [];
      const exclusive = workers.map((worker) => ({
        ...worker,
        async handle(partition: number, messages: readonly StreamMessage[], signal: AbortSignal) {
          if (owners.has(partition)) both.push(`two owners of ${partition}`);
          owners.set(partition, worker);
          await worker.handle(partition, messages, signal).finally(() => owners.delete(partition));
        },
      }));
      const [first, second] = exclusive;
      if (first === undefined || second === undefined) throw new Error("two workers");
      const sent: StreamMessage[] = [];
      const send = async (): Promise<void> => {
        const next = [0, 1, 2].map((partition) => message(partition));
        sent.push(...next);
        await stream.send(next);
      };
      const one = stream.consume(first);
      await send();
      await expect.poll(() => first.messages.length, patience).toBe(3);
      const two: Consumption = stream.consume(second);
      await expect
        .poll(async () => {
          await send();
          return second.messages.length;
        }, patience)
        .toBeGreaterThan(2);
      await one.close();
      await expect.poll(() => second.assignments.at(-1), patience).toEqual([0, 1, 2]);
      await send();
      const positions = () => new Set([...first.messages, ...second.messages].map((seen) => seen.position));
      await expect.poll(() => positions().size, patience).toBe(sent.length);
      await two.close();
      expect(both).toEqual([]);
    });
  });
}

const patience = { timeout: 40_000, interval: 50 };

function collector() {
  const messages: StreamMessage[] = [];
  const assignments: (readonly number[])[] = [];
  return {
    messages,
    assignments,
    of: (partition: number) => messages.filter((one) => one.partition === partition),
    async assigned(partitions: readonly number[]): Promise<void> {
      assignments.push([...partitions].sort());
    },
    async handle(_partition: number, batch: readonly StreamMessage[], signal: AbortSignal): Promise<void> {
      signal.throwIfAborted();
      messages.push(...batch);
    },
  };
}

function eventAt(position: number, event: Partial<StoredEvent>): StoredEvent {
  return {
    eventId: `event-${position}`,
    stream: "learner-a",
    revision: position,
    position,
    recordedAt: "2026-03-01T08:00:00.000Z",
    type: "InteractionRecorded",
    data: { interactionId: `i-${position}`, learnerId: "a" },
    metadata: { schemaVersion: 1 },
    ...event,
  };
}
