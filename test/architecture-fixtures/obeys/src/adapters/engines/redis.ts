import { Redis } from "ioredis";

export const connect = (url: string): Redis => new Redis(url);
