import { z } from "zod";
import { NoSuchPlace, parseAt } from "./place.ts";

/** A time or a position of the log, as it is written. */
export const placeSchema = z
  .string()
  .max(40)
  .superRefine((at, { addIssue }) => {
    try {
      parseAt(at);
    } catch (error) {
      if (!(error instanceof NoSuchPlace)) throw error;
      addIssue({ code: "custom", message: error.message });
    }
  });
