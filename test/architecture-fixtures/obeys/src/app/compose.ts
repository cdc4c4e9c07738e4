import { open } from "../adapters/read-models/redis.ts";
import { server } from "../http/server.ts";
import { port } from "./config.ts";

export const compose = () => [open, server, port];
