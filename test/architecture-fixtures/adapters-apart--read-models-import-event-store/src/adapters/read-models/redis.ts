import type { Memory } from "../event-store/memory.ts";

export type Redis = Memory;
