import { createMemoryBlobs } from "../adapters/blobs/memory.ts";
import { rowSnapshotsContract } from "./row-snapshots.contract.ts";

rowSnapshotsContract(async () => ({ blobs: createMemoryBlobs(), close: async () => undefined }));
