import type { Redis } from "ioredis";

export type Client = Redis;
