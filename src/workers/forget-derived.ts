import type { Blobs } from "../ports/blobs.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { relayKind } from "./relay-state.ts";
import { snapshotKind } from "./row-snapshot-set.ts";
import { trainerKind } from "./trainer-checkpoint.ts";

/** What was made of the log and says how far it read: after the log was put back it may know what never happened. */
const kinds = [trainerKind, relayKind, snapshotKind] as const;

export interface Forgotten {
  readonly rows: number;
  readonly checkpoints: number;
}

/**
 * Removes what is made from the log: rows, and the checkpoints of trainer, relay and saved rows. All of it comes again from
 * the log. Weights of models that were published stay, since the log names them. Nobody may be at work meanwhile.
 */
export async function forgetDerived(
  { readModels, blobs }: { readonly readModels: ReadModels | null; readonly blobs: Blobs },
  onRows: (removed: number) => void = () => undefined,
): Promise<Forgotten> {
  let rows = 0;
  for await (const page of readModels?.keys("") ?? []) {
    await readModels?.remove(page);
    rows += page.length;
    onRows(rows);
  }
  let checkpoints = 0;
  for (const kind of kinds) {
    for (const name of await blobs.names(kind)) {
      await blobs.remove(kind, name);
      checkpoints += 1;
    }
  }
  return { rows, checkpoints };
}
