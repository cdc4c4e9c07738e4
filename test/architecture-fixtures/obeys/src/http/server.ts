import { fastify } from "fastify";
import { next } from "../queries/next.ts";

export const server = () => fastify().get("/", () => next({ version: Date.now() }));
