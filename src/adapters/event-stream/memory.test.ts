import { eventStreamContract } from "./event-stream.contract.ts";
import { createMemoryStream } from "./memory.ts";

eventStreamContract("memory", async () => ({
  stream: createMemoryStream({ partitions: 3, batchSize: 7 }),
  close: async () => undefined,
}));
