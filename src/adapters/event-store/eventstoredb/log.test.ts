import { randomUUID } from "node:crypto";
import { afterAll } from "vitest";
import { apart } from "../../../../test/support/eventstoredb/apart.ts";
import { startEventStoreDb } from "../../../../test/support/eventstoredb/start.ts";
import { eventStoreContract } from "../event-store.contract.ts";
import type { LogAbilities } from "../support.contract.ts";
import { openEventStoreDbLog } from "./log.ts";

/** Positions are offsets in the server's log, streams are appended to side by side, and ids are looked up by stream. */
const abilities: LogAbilities = { densePositions: false, ordersStreams: false, idsAcrossStreams: false };

function contractAt(name: string, url: string): void {
  eventStoreContract(
    name,
    async () => {
      const mark = randomUUID();
      const open = async () => apart(await openEventStoreDbLog({ url }), mark);
      const log = await open();
      return { log, start: await log.head(), openAnother: open, close: () => log.close() };
    },
    abilities,
  );
}

const server = await startEventStoreDb();
afterAll(() => server.stop());
contractAt("EventStoreDB, the test server", server.url);

// A real one, kept quiet otherwise: the suite counts what is appended while it runs.
const real = process.env.PROXIMAL_EVENTSTOREDB_URL;
if (real !== undefined) contractAt("EventStoreDB at PROXIMAL_EVENTSTOREDB_URL", real);
