import type { StoredEvent } from "../domain/stored-event.ts";
import { idOf } from "../domain/streams.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { readView, storedPosition } from "../projections/live-view.ts";
import { partitionOf } from "../projections/partition.ts";
import type { Follower } from "../queries/lag.ts";
import type { CatalogueFollower } from "../workers/catalogue-follower.ts";
import { relayedPosition } from "../workers/relay-state.ts";
import type { TrainerThread } from "./threads/trainer-thread.ts";

const learning = { categories: ["learner"], types: ["InteractionRecorded"] };

/** Whoever projects, as far as it can say for each of its partitions where it is. */
export interface Projecting {
  status(): readonly { readonly partition: number; readonly position: number }[];
}

const owns = (partition: number, partitions: number) =>
  partitions === 1
    ? {}
    : { owns: ({ stream }: StoredEvent): boolean => partitionOf(idOf(stream), partitions) === partition };

/** The projector of this process. Another process may have some of its partitions, now or later. */
export function projectorHere(projector: Projecting, partitions: number): Follower[] {
  return Array.from({ length: partitions }, (_, partition) => {
    const own = () => projector.status().find((status) => status.partition === partition);
    return {
      ...{ name: "learners", partition, filter: learning, position: async () => own()?.position ?? null },
      ...owns(partition, partitions),
      here: () => own() !== undefined,
    };
  });
}

/**
 * A projector in another process: how far it is stands beside the rows it writes. Nothing there: it never started. A
 * partition that was never written stands at the beginning of the log, be there something for it or not.
 */
export function projectorElsewhere(rows: ReadModels | (() => Promise<ReadModels>), partitions: number): Follower[] {
  const position = (partition: number) => async () => {
    const readModels = typeof rows === "function" ? await rows() : rows;
    return (await storedPosition(readModels, partition)) ?? ((await readView(readModels)).view === null ? null : 0);
  };
  return Array.from({ length: partitions }, (_, partition) => ({
    ...{ name: "learners", partition, filter: learning, position: position(partition) },
    ...owns(partition, partitions),
  }));
}

export function catalogueHere(catalogue: CatalogueFollower): Follower {
  const filter = { categories: ["item", "skill", "track"] };
  return { name: "catalogue", filter, position: async () => catalogue.position() };
}

/** Its position is null while another process relays. */
export function relayHere(relay: { position(): number | null }): Follower {
  return { name: "relay", position: async () => relay.position(), here: () => relay.position() !== null };
}

/** The relay of this deployment, whichever process it is in: how far it has saved that it is. */
export function relayAnywhere(blobs: Blobs, topic: string): Follower {
  return { name: "relay", position: () => relayedPosition(blobs, topic) };
}

export function trainerHere(trainer: TrainerThread): Follower {
  return {
    ...{ name: "trainer", filter: learning, position: async () => trainer.position() },
    here: () => !trainer.standsBy(),
  };
}
