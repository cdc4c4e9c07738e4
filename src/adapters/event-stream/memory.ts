import type {
  Consumption,
  StreamConsumer,
  StreamMessage,
  StreamReader,
  StreamWriter,
} from "../../ports/event-stream.ts";

export interface MemoryStream extends StreamWriter, StreamReader {
  /** Hands all from this index of each partition out again, as after an offset that was not committed. */
  rewind(to?: number): void;
  /** Everything that was sent, in the order of each partition. */
  readonly sent: readonly (readonly StreamMessage[])[];
}

export interface MemoryStreamOptions {
  readonly name?: string;
  readonly partitions: number;
  /** Messages handed out at once, at the most. */
  readonly batchSize?: number;
}

interface Member {
  readonly consumer: StreamConsumer;
  partitions: readonly number[];
}

/**
 * The stream within one process, and for tests: partitions are shared among consumers as a group of Kafka does it, all
 * work stops for each change of members, and what was not finished is handed out again.
 */
export function createMemoryStream({
  name = "memory",
  partitions,
  batchSize = 500,
}: MemoryStreamOptions): MemoryStream {
  const logs: StreamMessage[][] = Array.from({ length: partitions }, () => []);
  const committed = logs.map(() => 0);
  const running: (Promise<void> | null)[] = logs.map(() => null);
  let members: Member[] = [];
  let generation = new AbortController();
  let changing: Promise<void> = Promise.resolve();

  /** One change after another: work ends, partitions are dealt out, work goes on. */
  function change(next: () => void): Promise<void> {
    changing = changing.then(async () => {
      generation.abort(new Error("the group changes"));
      await Promise.all(running);
      next();
      generation = new AbortController();
      members.forEach((member, at) => {
        member.partitions = logs.map((_, partition) => partition).filter((one) => one % members.length === at);
      });
      for (const member of members) await member.consumer.assigned(member.partitions);
      for (const member of members) for (const partition of member.partitions) hand(member, partition);
    });
    return changing;
  }

  function hand(member: Member, partition: number): void {
    if (running[partition] !== null || generation.signal.aborted) return;
    running[partition] = handOut(member, partition, generation.signal).finally(() => {
      running[partition] = null;
      if ((committed[partition] ?? 0) < (logs[partition]?.length ?? 0)) hand(member, partition);
    });
  }

  async function handOut({ consumer }: Member, partition: number, signal: AbortSignal): Promise<void> {
    const log = logs[partition] ?? [];
    for (let from = committed[partition] ?? 0; from < log.length && !signal.aborted; from = committed[partition] ?? 0) {
      const to = Math.min(log.length, from + batchSize);
      try {
        await consumer.handle(partition, log.slice(from, to), signal);
        if (committed[partition] === from) committed[partition] = to;
      } catch {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  function handAll(): void {
    for (const member of members) for (const partition of member.partitions) hand(member, partition);
  }

  return {
    name,
    partitions,
    sent: logs,
    async send(messages) {
      for (const message of messages) logs[message.partition]?.push(message);
      handAll();
    },
    rewind(to = 0) {
      committed.fill(to);
      handAll();
    },
    consume(consumer): Consumption {
      const member: Member = { consumer, partitions: [] };
      let closing: Promise<void> | null = null;
      void change(() => members.push(member));
      return {
        close() {
          closing ??= change(() => {
            members = members.filter((one) => one !== member);
          }).then(() => consumer.assigned([]));
          return closing;
        },
      };
    },
  };
}
