import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { learnerModels } from "../../../src/domain/learner-model/models.ts";
import { rowFormat } from "../../../src/projections/rows.ts";
import { answersPath, type Digests, digestsPath, fileDigest, readDigests } from "./expected.ts";
import { historiesFolder, historyNames, historyPath, openHistory } from "./history-file.ts";
import { recordings } from "./recordings.ts";
import { replay } from "./replay.ts";

/*
 * npm run histories -- record NAME    makes the events of a history, once
 * npm run histories -- expect         writes down anew what the code makes of all of them: digests and answers
 */
const [command, name] = process.argv.slice(2);
if (command === "record" && name !== undefined) await record(name);
else if (command === "expect") await expectAll();
else fail(`record NAME (${Object.keys(recordings).join(", ")}), or expect`);

async function record(history: string): Promise<void> {
  const make = recordings[history];
  if (make === undefined) return fail(`there is no recording ${history}`);
  if (existsSync(historyPath(history))) return fail(`${history} is there, and histories are never made anew`);
  const bytes = await make();
  mkdirSync(historiesFolder, { recursive: true });
  writeFileSync(historyPath(history), bytes);
  console.log(`${history}: ${bytes.length} bytes; now: npm run histories -- expect`);
}

async function expectAll(): Promise<void> {
  const before = readDigests();
  const after: Record<string, Digests[string]> = {};
  for (const history of historyNames()) {
    const file = fileDigest(history);
    const known = before[history]?.file;
    if (known !== undefined && known !== file) return fail(`${historyPath(history)} was edited: bring it back`);
    const rows: Record<string, { format: number; digest: string }> = {};
    for (const [model, learnerModel] of Object.entries(learnerModels)) {
      const replayed = await replay(await openHistory(history), learnerModel);
      rows[model] = { format: rowFormat, digest: replayed.rows };
      writeFileSync(answersPath(history, model), `${replayed.answers.join("\n")}\n`);
    }
    after[history] = { file, rows };
    console.log(`${history}: expected of ${Object.keys(rows).join(", ")}`);
  }
  writeFileSync(digestsPath, `${JSON.stringify(after, null, 2)}\n`);
}

function fail(why: string): void {
  console.error(`histories: ${why}`);
  process.exitCode = 1;
}
