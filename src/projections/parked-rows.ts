import type { ReadModels } from "../ports/read-models.ts";
import { readView } from "./live-view.ts";
import {
  countersKey,
  decodeParked,
  decodeParkedStreams,
  type Parked,
  parkedField,
  parkedStreamsField,
} from "./rows.ts";

export interface ParkedInPartition {
  readonly partition: number;
  readonly parked: Parked;
}

/** Everyone who is parked, in every partition of the live rows, as their projectors wrote it last; by partition. */
export async function readParked(readModels: ReadModels): Promise<ParkedInPartition[]> {
  const { view } = await readView(readModels);
  if (view === null) return [];
  const keys = Array.from({ length: view.partitions }, (_, partition) => countersKey(view.namespace, partition));
  const lists = await readModels.read(keys, [parkedStreamsField]);
  const found = await Promise.all(
    lists.map(async ({ fields: listed }, partition) => {
      const list = listed.get(parkedStreamsField);
      if (list === undefined) return [];
      const [row] = await readModels.read([keys[partition] as string], decodeParkedStreams(list).map(parkedField));
      return Array.from(row?.fields.values() ?? [], (bytes) => ({ partition, parked: decodeParked(bytes) }));
    }),
  );
  return found.flat();
}
