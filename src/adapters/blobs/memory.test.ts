import { blobsContract } from "./blobs.contract.ts";
import { createMemoryBlobs } from "./memory.ts";

blobsContract("memory", async () => ({ blobs: createMemoryBlobs(), close: async () => {} }));
