export type Feed = import("../adapters/event-store/memory.ts").Memory;
