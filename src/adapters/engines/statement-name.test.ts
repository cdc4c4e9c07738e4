import { expect, test } from "vitest";
import { statementName } from "./statement-name.ts";

test.each([
  ["/* log.append */ SELECT first_position FROM append_events($1)", "log.append"],
  ["\n  /* log.page */\n SELECT 1", "log.page"],
  ["SELECT name FROM blobs WHERE kind = $1", "SELECT blobs"],
  ["insert into api_keys (id) VALUES ($1)", "INSERT api_keys"],
  ["DELETE FROM ONLY blobs", "DELETE blobs"],
  ["CREATE TABLE IF NOT EXISTS schema_migrations ()", "CREATE schema_migrations"],
  ["SELECT 1", "SELECT"],
  ["SELECT 'kept out' WHERE 'ada' = 'ada'", "SELECT"],
  ["", "unknown"],
])("%j is called %s", (text, name) => {
  expect(statementName(text)).toBe(name);
});
