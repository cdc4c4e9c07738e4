import { expect } from "vitest";
import type { StreamMessage } from "../../src/ports/event-stream.ts";

/**
 * Fails unless the messages of each partition, without their repeats, leave out nothing, and every learner's events
 * stand in one partition, in order and without a hole. Gives how many events of learners there were, and how far each
 * partition goes.
 */
export function expectInOrder(partitions: readonly (readonly StreamMessage[])[]): {
  readonly learnersEvents: number;
  readonly positions: readonly number[];
} {
  const homes = new Map<string, number>();
  const revisions = new Map<string, number>();
  let learnersEvents = 0;
  const positions = partitions.map((messages, partition) => {
    let position = 0;
    for (const message of messages) {
      if (message.position <= position) continue;
      expect(message.prev).toBeLessThanOrEqual(position);
      position = message.position;
      const { event } = message;
      if (event === null || !event.stream.startsWith("learner-")) continue;
      learnersEvents += 1;
      expect(homes.get(event.stream) ?? partition).toBe(partition);
      homes.set(event.stream, partition);
      expect(event.revision).toBe((revisions.get(event.stream) ?? 0) + 1);
      revisions.set(event.stream, event.revision);
    }
    return position;
  });
  return { learnersEvents, positions };
}
