import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { rebuildContract } from "./rebuild.contract.ts";

const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 6);

rebuildContract({
  open: async () => ({ readModels: createMemoryReadModels(), close: async () => undefined }),
  ...{ events: 150, faultStep: runs > 50 ? 1 : 3, runs },
});
