import { createPglite } from "../../../test/support/pglite.ts";
import { apiKeysContract } from "./api-keys.contract.ts";
import { openPostgresApiKeys } from "./postgres.ts";

apiKeysContract("postgres on PGlite, without a service", async () => {
  const sql = await createPglite();
  const keys = await openPostgresApiKeys({ sql });
  return { keys, openAnother: () => openPostgresApiKeys({ sql }), close: () => sql.close() };
});
