import { describe } from "vitest";
import { sharedPostgres } from "../../../test/support/engines.ts";
import { temporaryFolder } from "../../../test/support/folders.ts";
import { durabilityContract } from "./durability.contract.ts";
import { openPostgresLog } from "./postgres/log.ts";
import { openSqliteLog } from "./sqlite/log.ts";

const postgres = await sharedPostgres();

describe("sqlite", () => {
  durabilityContract(
    "sqlite",
    async () => temporaryFolder(),
    (folder) => openSqliteLog({ folder }),
  );
});

describe.skipIf(postgres === null)("postgres, of which the client is killed", () => {
  durabilityContract(
    "postgres",
    async () => (await postgres?.createDatabase()) ?? "",
    (url) => openPostgresLog({ url }),
  );
});
