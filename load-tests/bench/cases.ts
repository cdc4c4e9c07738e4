import type { BenchCase } from "./case.ts";
import { bytes } from "./case-bytes.ts";
import { batch, single, singleAllInOne } from "./case-ingest.ts";
import { next, nextAfterHundredThousand, nextAfterThousand, nextFromRedis, nextOfMany } from "./case-next.ts";
import { projection } from "./case-projection.ts";
import { rebuild } from "./case-rebuild.ts";
import { visible } from "./case-visible.ts";

/** All cases, in the order they run: those that fill the log last. */
export const benchCases: readonly BenchCase[] = [
  next,
  nextFromRedis,
  nextAfterThousand,
  nextAfterHundredThousand,
  nextOfMany,
  single,
  singleAllInOne,
  visible,
  batch,
  projection,
  rebuild,
  bytes,
];
