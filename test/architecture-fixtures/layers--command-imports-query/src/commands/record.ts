import { next } from "../queries/next.ts";

export const record = (): number => next();
