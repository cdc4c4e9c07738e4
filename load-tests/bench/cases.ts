import type { BenchCase } from "./case.ts";
import { bytes } from "./case-bytes.ts";
import { batch, single, singleAllInOne } from "./case-ingest.ts";
import { next } from "./case-next.ts";
import { projection } from "./case-projection.ts";
import { visible } from "./case-visible.ts";

/** All cases, in the order they run: those that fill the log last. */
export const benchCases: readonly BenchCase[] = [next, single, singleAllInOne, visible, batch, projection, bytes];
