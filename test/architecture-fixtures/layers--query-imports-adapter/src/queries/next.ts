export const next = async (): Promise<unknown> => import("../adapters/read-models/memory.ts");
