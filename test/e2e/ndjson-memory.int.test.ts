import { expect, test } from "vitest";
import { privateRedis, sharedPostgres } from "../support/engines.ts";
import { memoryDuring, ndjsonBody, peakOf, postNdjson } from "../support/ndjson-body.ts";
import { newPlace, run, serve } from "./proximal.ts";

const postgres = await sharedPostgres();
const redis = await privateRedis();
const mega = 1024 * 1024;

// The same with 1 GB: load-tests/measure-ndjson.ts.
test.skipIf(process.platform !== "linux" || postgres === null || redis === null)(
  "the second half of a body of 48 MB takes no more memory than the first: it is never held as a whole",
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
    // The heap of a young process grows with the first that it has to do.
    await post("first", 24);
    const seen = await memoryDuring(server.pid, () => post("large", 48));
    const [first, second] = [seen.slice(0, seen.length / 2), seen.slice(seen.length / 2)].map(peakOf);
    process.stdout.write(`a body of 48 MB: at most ${first} MB in its first half, ${second} MB in its second\n`);
    // Half of the body as it came is 24 MB, and several times that once it is parsed.
    expect((second ?? 0) - (first ?? 0)).toBeLessThan(20);
    expect(await server.end("SIGKILL")).toBe("SIGKILL");
  },
);
