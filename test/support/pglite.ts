import { PGlite, type PGliteOptions, types } from "@electric-sql/pglite";
import { type Sql, type SqlRow, type SqlSession, toSqlError } from "../../src/adapters/engines/sql.ts";

/** Text as the server sends it, for every type, the arrays of bigint among them. */
const asText = Object.fromEntries(
  [...Object.values(types).filter((oid) => typeof oid === "number"), 1016].map((oid) => [
    oid,
    (value: string) => value,
  ]),
);

/** Arrays that come in binary go on as they are: text[], integer[], bigint[], json[], timestamptz[], uuid[]. */
const asIs = Object.fromEntries([1009, 1007, 1016, 199, 1185, 2951].map((oid) => [oid, (value: string) => value]));

/** PostgreSQL inside this process, so that the SQL of the Postgres adapters is tested without a service. */
export async function createPglite(options: PGliteOptions = {}): Promise<Sql & { readonly engine: PGlite }> {
  const engine = await PGlite.create(options);
  // There is one session only: whoever wants it for himself waits for his turn.
  let turn: Promise<unknown> = Promise.resolve();
  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work);
    turn = result.catch(() => {});
    return result;
  }

  const inside: SqlSession = {
    async query(text, params = []) {
      try {
        const result = await engine.query<SqlRow>(text, [...params], {
          rowMode: "array",
          parsers: asText,
          serializers: asIs,
        });
        return result.rows;
      } catch (error) {
        throw toSqlError(error);
      }
    },
    async each(text, params, take) {
      for (const row of await inside.query(text, params)) take(row);
    },
    async script(text) {
      try {
        await engine.exec(text);
      } catch (error) {
        throw toSqlError(error);
      }
    },
  };
  return {
    engine,
    query: (text, params) => exclusively(() => inside.query(text, params)),
    each: (text, params, take) => exclusively(() => inside.each(text, params, take)),
    script: (text) => exclusively(() => inside.script(text)),
    session: (work) => exclusively(() => work({ ...inside, keepsState: true })),
    transaction: (work) =>
      exclusively(async () => {
        await inside.script("BEGIN");
        try {
          const result = await work(inside);
          await inside.script("COMMIT");
          return result;
        } catch (error) {
          await inside.script("ROLLBACK");
          throw error;
        }
      }),
    async listen(channel, onNotify, onConnected) {
      const stop = await exclusively(() => engine.listen(channel, onNotify));
      onConnected();
      return async () => {
        await exclusively(() => stop());
      };
    },
    close: () => engine.close(),
  };
}
