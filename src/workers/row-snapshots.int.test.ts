import { describe } from "vitest";
import { sharedPostgres } from "../../test/support/engines.ts";
import { openPostgresBlobs } from "../adapters/blobs/postgres.ts";
import { rowSnapshotsContract } from "./row-snapshots.contract.ts";

const postgres = await sharedPostgres();

describe.skipIf(postgres === null)("on PostgreSQL", () => {
  rowSnapshotsContract(async () => {
    const blobs = await openPostgresBlobs({ url: (await postgres?.createDatabase()) ?? "" });
    return { blobs, close: () => blobs.close() };
  });
});
