import { apiKeysContract } from "./api-keys.contract.ts";
import { createMemoryApiKeys } from "./memory.ts";

apiKeysContract("memory", async () => ({ keys: createMemoryApiKeys(), close: async () => {} }));
