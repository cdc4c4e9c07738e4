import { createMemoryReplayStore } from "./memory.ts";
import { replayStoreContract } from "./replay-store.contract.ts";

replayStoreContract("memory", false, async () => ({ store: createMemoryReplayStore(), close: async () => {} }));
