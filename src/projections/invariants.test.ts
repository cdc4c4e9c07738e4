import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { projectionInvariants } from "./invariants.contract.ts";

projectionInvariants({ open: async () => createMemoryReadModels(), events: 200, faultStep: 1, races: 15 });
