import { parseArgs } from "node:util";
import { memoryDuring, ndjsonBody, peakOf, postNdjson } from "../test/support/ndjson-body.ts";
import { endAll } from "./bench/processes.ts";
import { startApp } from "./bench/proximal-app.ts";

/*
 * What a body of 1 GB takes in memory: `node load-tests/measure-ndjson.ts [--megabytes 1024] [--small 16]`.
 *
 * Starts PostgreSQL and Redis of its own and a process that takes interactions and does nothing else, posts it a small body of
 * NDJSON and then a large one (lines of about 1.2 KB: ids as long as they may be), and prints its resident memory over time.
 * Linux only. The database takes about twice the body on disk, in the folder for temporary files.
 */

const { values } = parseArgs({
  options: { megabytes: { type: "string", default: "1024" }, small: { type: "string", default: "16" } },
});
const mega = 1024 * 1024;

process.once("SIGINT", () => void endAll().finally(() => process.exit(130)));
try {
  const app = await startApp();
  const api = await app.startApiOnly();
  const at = { url: api.url, key: app.key };
  console.log("| body MB | interactions | seconds | MB at the start | peak MB | MB over time, in ten steps |");
  console.log("|---|---|---|---|---|---|");
  for (const [name, megabytes] of [
    ["first", Number(values.small)],
    ["small", Number(values.small)],
    ["large", Number(values.megabytes)],
  ] as const) {
    let accepted = 0;
    const seen = await memoryDuring(api.server.pid, async () => {
      ({ accepted } = await postNdjson(at, ndjsonBody(name, megabytes * mega)));
    });
    const steps = Array.from({ length: 10 }, (_, step) => seen[Math.floor(((step + 1) / 10) * (seen.length - 1))]);
    const row = [megabytes, accepted, seen.at(-1)?.seconds.toFixed(1), seen[0]?.megabytes, peakOf(seen)];
    console.log(`| ${[...row, steps.map((one) => one?.megabytes).join(" ")].join(" | ")} |`);
  }
} finally {
  await endAll();
}
process.exit(0);
