import { expect, test } from "vitest";
import { privateRedis, sharedPostgres } from "../support/engines.ts";
import { memoryDuring, ndjsonBody, peakOf, postNdjson } from "../support/ndjson-body.ts";
import { newPlace, run, serve } from "./proximal.ts";

const postgres = await sharedPostgres();
const redis = await privateRedis();
const mega = 1024 * 1024;

// The same with 1 GB: load-tests/measure-ndjson.ts.
test.skipIf(process.platform !== "linux" || postgres === null || redis === null)(
  "a body of 48 MB is never held as a whole",
  { timeout: 240_000 },
  async () => {
    // A process that takes interactions and does nothing else: what folds them would be measured too.
    const place = newPlace({
      ...{ DATABASE_URL: (await postgres?.createDatabase()) ?? "", REDIS_URL: redis?.url ?? "" },
      ...{ PROXIMAL_SHED_DELAY_MS: "0", PROXIMAL_INGEST_WAIT_MS: "60000" },
    });
    const made = await run(place, ["keys", "create", "--name", "test", "--json", "--scope", "client"]);
    const server = await serve({ ...place, key: JSON.parse(made.stdout).key }, "--role", "api");
    const post = async (name: string, megabytes: number) => {
      const { accepted, lines } = await postNdjson(server, ndjsonBody(name, megabytes * mega, 20));
      expect(accepted).toBe(lines);
    };
    const first = peakOf(await memoryDuring(server.pid, () => post("first", 24)));
    const large = peakOf(await memoryDuring(server.pid, () => post("large", 48)));
    process.stdout.write(`at most ${first} MB with a body of 24 MB, ${large} MB with one of 48 MB after it\n`);
    // The heap of a young process still grows, by 40 to 60 MB here. Held as a whole, 48 MB are 48 MB as they came, and several
    // times that as lines, objects and events.
    expect(large - first).toBeLessThan(96);
    expect(await server.end("SIGKILL")).toBe("SIGKILL");
  },
);
