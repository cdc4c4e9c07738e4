import { sharedPostgres } from "../../../test/support/engines.ts";
import { apiKeysContract } from "./api-keys.contract.ts";
import { openPostgresApiKeys } from "./postgres.ts";

const postgres = await sharedPostgres();

if (postgres !== null) {
  apiKeysContract("postgres", async () => {
    const url = await postgres.createDatabase();
    const keys = await openPostgresApiKeys({ url });
    return { keys, openAnother: () => openPostgresApiKeys({ url }), close: () => keys.close() };
  });
}
