import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { privatePgbouncer, sharedPostgres } from "../../../test/support/engines.ts";
import { startPgbouncer } from "../../../test/support/pgbouncer.ts";
import { createPostgres, type Postgres } from "./postgres.ts";

/**
 * What PgBouncer forbids in transaction mode, one by one: that it is so (with plain clients), and that our way around it
 * works. Two server connections, so that statements of one client do move between them.
 */
const postgres = await sharedPostgres();
const pgbouncer =
  postgres === null ? null : await privatePgbouncer(postgres.url, { settings: { default_pool_size: "2" } });
/** One that was told to let the parameter pass, as is often advised: it ignores it. */
const ignoring =
  postgres === null
    ? null
    : await privatePgbouncer(postgres.url, { settings: { ignore_startup_parameters: "statement_timeout" } });

describe.skipIf(postgres === null || pgbouncer === null || ignoring === null)("PgBouncer in transaction mode", () => {
  const undo: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const one of undo.splice(0).reverse()) await one();
  });

  const newUrl = async () => (await postgres?.createDatabase()) ?? "";
  const through = (url: string) => pgbouncer?.through(url) ?? "";

  async function plain(url: string, more: pg.ClientConfig = {}): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url, ...more });
    client.on("error", () => {});
    undo.push(() => client.end());
    await client.connect();
    return client;
  }

  function ours(options: Parameters<typeof createPostgres>[0]): Postgres {
    const sql = createPostgres(options);
    undo.push(() => sql.close());
    return sql;
  }

  async function timeoutOn(client: pg.Client): Promise<string | undefined> {
    return (await client.query<{ statement_timeout: string }>("SHOW statement_timeout")).rows[0]?.statement_timeout;
  }

  test("named prepared statements: the plain client's is unknown on the next connection; ours have no name", async () => {
    const url = through(await newUrl());
    const [client, other] = [await plain(url), await plain(url)];
    const named = { name: "one", text: "SELECT $1::int", values: [1] };
    await client.query(named);
    // Takes the server connection on which the statement was prepared.
    await other.query("BEGIN");
    await expect(client.query(named)).rejects.toMatchObject({ code: "26000" });
    await other.query("ROLLBACK");

    const sql = ours({ url });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => sql.query("SELECT $1::int", [n]).then((rows) => rows[0]?.[0])),
    );
    expect(answers).toEqual(Array.from({ length: 200 }, (_, n) => String(n)));
  });

  test("SET: the plain client's stays for whoever comes next; ours ends with its transaction", async () => {
    const url = through(await newUrl());
    const [client, other] = [await plain(url), await plain(url)];
    await client.query("SET statement_timeout = 12345");
    expect(await timeoutOn(other)).toBe("12345ms");
    await client.query("SET statement_timeout = 0");

    const sql = ours({ url, statementTimeoutMs: 4_321 });
    expect(await sql.query("SHOW statement_timeout")).toEqual([["4321ms"]]);
    await sql.transaction(async (session) => {
      expect(await session.query("SHOW statement_timeout")).toEqual([["4321ms"]]);
    });
    // Both connections of the server, one held while the other is asked.
    await client.query("BEGIN");
    expect([await timeoutOn(client), await timeoutOn(other)]).toEqual(["0", "0"]);
    await client.query("ROLLBACK");
  });

  test("no statement of ours is compiled, through PgBouncer or not; what others ask is as the server is set", async () => {
    const url = await newUrl();
    for (const sql of [ours({ url }), ours({ url: through(url) })]) {
      expect(await sql.query("SHOW jit")).toEqual([["off"]]);
      expect(await sql.transaction((session) => session.query("SHOW jit"))).toEqual([["off"]]);
    }
    for (const client of [await plain(url), await plain(through(url))]) {
      expect((await client.query("SHOW jit")).rows).toEqual([{ jit: "on" }]);
    }
  });

  test("startup parameters: a plain statement_timeout is refused, or ignored where PgBouncer is told so", async () => {
    const url = await newUrl();
    const refused = new pg.Client({ connectionString: through(url), statement_timeout: 100 });
    await expect(refused.connect()).rejects.toMatchObject({
      code: "08P01",
      message: expect.stringContaining("unsupported startup parameter: statement_timeout"),
    });
    const ignored = await plain(ignoring?.through(url) ?? "", { statement_timeout: 100 });
    expect(await timeoutOn(ignored)).toBe("0");
    // The name is one that PgBouncer takes and hands on.
    const sql = ours({ url: through(url), applicationName: "proximal-test" });
    expect(await sql.query("SHOW application_name")).toEqual([["proximal-test"]]);
  });

  test.each(["refuses", "ignores"])("our limit ends a statement on the server where PgBouncer %s it", async (way) => {
    const url = await newUrl();
    const bouncer = way === "refuses" ? pgbouncer : ignoring;
    const sql = ours({ url: bouncer?.through(url) ?? "", statementTimeoutMs: 200 });
    await expect(sql.query("SELECT pg_sleep(60)")).rejects.toMatchObject({ code: "57014" });
    const direct = await plain(url);
    const running =
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active'";
    const others = `${running} AND pid <> pg_backend_pid()`;
    expect((await direct.query<{ n: number }>(others)).rows).toEqual([{ n: 0 }]);
    // The connection goes on, in no transaction.
    expect(await sql.query("SELECT 1")).toEqual([["1"]]);
  });

  test("LISTEN: nothing arrives through PgBouncer, and no error says so; past it everything does", async () => {
    const url = await newUrl();
    const silent = await plain(through(url));
    const heard: string[] = [];
    silent.on("notification", (message) => heard.push(`plain ${message.payload}`));
    await silent.query("LISTEN news");
    const sql = ours({ url: through(url), directUrl: url });
    let connected = 0;
    const arrived = new Promise<void>((resolve, reject) => {
      const onNotify = (payload: string) => {
        heard.push(`ours ${payload}`);
        resolve();
      };
      sql.listen("news", onNotify, () => (connected += 1)).then((stop) => undo.push(stop), reject);
    });
    while (connected === 0) await sleep(5);
    await sql.query("SELECT pg_notify('news', '1')");
    await arrived;
    expect(heard).toEqual(["ours 1"]);
  });

  test("LISTEN without the direct way is not tried, and said", async () => {
    const url = await newUrl();
    const told: string[] = [];
    const log = { info: (_: object, message: string) => void told.push(message), warn() {} };
    const sql = ours({ url: through(url), log });
    const never = () => expect.unreachable();
    const stop = await sql.listen("news", never, never);
    expect(told).toEqual([expect.stringContaining("pooler")]);
    await stop();
  });

  test("a session of one's own goes past it; where it cannot, it says that it keeps nothing", async () => {
    const url = await newUrl();
    const past = ours({ url: through(url), directUrl: url });
    const alone = ours({ url: through(url) });
    expect(await past.session(async ({ keepsState }) => keepsState)).toBe(true);
    expect(await alone.session(async ({ keepsState }) => keepsState)).toBe(false);
  });

  test("PAUSE: a statement that waits too long is given up, and is not executed later", async () => {
    const url = await newUrl();
    const sql = ours({ url: through(url), directUrl: url, statementTimeoutMs: 200 });
    await sql.query("CREATE TABLE paused (n int)");
    await pgbouncer?.admin("PAUSE");
    try {
      await expect(sql.query("INSERT INTO paused VALUES (1)")).rejects.toMatchObject({ code: null, transient: true });
    } finally {
      await pgbouncer?.admin("RESUME");
    }
    expect(await sql.query("SELECT count(*) FROM paused")).toEqual([["0"]]);
  });

  // Why runStatement sends no cancel request: anyone who is killed while one is under way takes the pooler with him.
  test("control: PgBouncer 1.18.0 ends itself when the sender of a cancel request hangs up", async () => {
    const bouncer = await startPgbouncer(postgres?.url ?? "");
    if ("skip" in bouncer) return;
    undo.push(() => bouncer.stop());
    const [version] = await bouncer.admin("SHOW VERSION");
    if (!String(version?.version).includes("1.18.0")) return;
    const client = await plain(bouncer.through(await newUrl()));
    const key = "processID" in client && "secretKey" in client ? [client.processID, client.secretKey].map(Number) : [];
    const request = Buffer.alloc(16);
    for (const [i, word] of [16, (1234 << 16) | 5678, ...key].entries()) request.writeInt32BE(word, i * 4);
    let alive = true;
    for (let i = 0; i < 50 && alive; i++) {
      const sleeping = client.query("SELECT pg_sleep(.1)").catch(() => {});
      connect(Number(new URL(bouncer.through(postgres?.url ?? "")).port), "127.0.0.1")
        .on("error", () => {})
        .end(request);
      await sleeping;
      alive = await bouncer.admin("SHOW VERSION").then(
        () => true,
        () => false,
      );
    }
    expect(alive).toBe(false);
  });
});
