import { eventStoreContract } from "./event-store.contract.ts";
import { createMemoryLog } from "./memory.ts";

eventStoreContract("memory", async () => ({ log: createMemoryLog(), close: async () => {} }));
