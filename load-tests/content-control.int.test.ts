import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { orSkip } from "../test/support/engines.ts";
import { temporaryFolder } from "../test/support/folders.ts";
import { limits } from "./k6/profiles.ts";
import type { SettingsFile } from "./k6/settings-file.ts";
import { runK6 } from "./runner/run-k6.ts";
import { k6 } from "./tools/install.ts";

/**
 * Controls: a system that answers fast and wrong in every way that is looked at. A check that lets it pass would let
 * Proximal pass as well.
 */
const found = await k6({ install: false });
const skipped = "missing" in found && orSkip({ skip: found.missing }) === null;
const locust = fileURLToPath(new URL("./locust/", import.meta.url));

const item = (itemId: string, skillId = "sums") => ({ itemId, skillIds: [skillId], difficulty: 0 });
const settings: SettingsFile = {
  ...{ scenario: "baseline", load: { users: 20, seconds: 2 }, key: "pxl_none", commandUrl: "", queryUrl: "" },
  items: [item("a"), item("b"), item("c"), item("barred"), item("product", "products"), item("vault-1", "vault")],
  prerequisites: { sums: {}, products: { sums: 1 }, vault: { "vault-key": 1 } },
  ...{ prerequisiteThreshold: 0.8, trackId: "track", retired: ["gone"], barred: ["barred"], limits },
  ...{ checkShare: 1, mayShed: false, summary: "" },
};

const answered = { itemId: "a", p: 0.5 };
const wrong = [
  { itemId: "gone", p: 2 },
  { itemId: "b", p: 0.5 },
  { itemId: "barred", p: 0.5 },
].concat({ itemId: "product", p: 0.5 }, { itemId: "vault-1", p: 0.5 }, { itemId: "b", p: 0.5 });
const list = (learnerId: string, fresh: boolean) => ({
  ...{ learnerId: `${learnerId}-other`, source: "personal", computed: "precomputed", revision: 1, selectionId: "s" },
  ...{ trackId: null, ...(fresh ? { fresh } : {}), items: [answered, ...wrong] },
});

const broken = [
  "the list is of the learner asked for",
  "no more items than asked for, none twice",
  "p is a probability",
  "no retired item",
  "no excluded item",
  "no item behind the locked door",
  "no item that the track bars",
  "a fresh list includes the answer",
  "a fresh list does not ask again what was just answered",
  "no item with a prerequisite that is not held",
];

function answer({ url = "", method }: IncomingMessage): object {
  const learnerId = /learners\/([^/]+)\//.exec(url)?.[1] ?? "";
  if (method === "POST") {
    const tokens = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`load-learner-${n}`, "r2.p2"]));
    return { accepted: 1, duplicates: 0, rejected: 0, tokens };
  }
  if (url.includes("/scores")) return { revision: 1, skills: [{ skillId: "sums", mastery: 0.4 }] };
  return list(learnerId, url.includes("after="));
}

test.skipIf(skipped)("k6 counts each way of being wrong, and the verdict is missed however fast it is", async () => {
  const server = createServer((request, reply) => {
    request.resume().on("end", () => reply.end(JSON.stringify(answer(request))));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const folder = temporaryFolder();
  const files = { settings: join(folder, "settings.json"), summary: join(folder, "summary.json") };
  // Four seconds of twenty steps each: one of ten asks for scores, one of four excludes.
  const load = { users: 200, seconds: 4 };
  writeFileSync(
    files.settings,
    JSON.stringify({
      ...settings,
      load: { ...load, users: 20 },
      commandUrl: url,
      queryUrl: url,
      summary: files.summary,
    }),
  );
  const said: string[] = [];
  const run = {
    folder,
    ...files,
    signal: AbortSignal.timeout(60_000),
    onStart: () => {},
    onLine: (line: string) => void said.push(line),
  };
  const { verdicts, checks } = await runK6("baseline", load, run);
  expect(verdicts.find(({ name }) => name === "content of answers")?.met).toBe(false);
  expect(
    checks
      .filter(({ fails }) => fails > 0)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...broken].sort());
  expect(said.join("\n")).toContain("no retired item");
});

test.skipIf(skipped)("Locust's checks find the same", () => {
  const folder = temporaryFolder();
  const file = join(folder, "settings.json");
  writeFileSync(file, JSON.stringify(settings));
  const lists = [list("ada", false), list("ada", true), { revision: 1, skills: [{ skillId: "sums", mastery: 0.4 }] }];
  const program = `
import json, sys, content
content.retired_now["b"] = content.now() - 3
before, after, scores = json.loads(sys.argv[1])
content.check_list(before, "ada", 10, ["b"], "track", content.now())
content.check_fresh(after, before, "a")
content.check_locks(before, scores)
print(json.dumps(content.checks))`;
  const output = execFileSync("python3", ["-c", program, JSON.stringify(lists)], {
    ...{ cwd: locust, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    env: { ...process.env, SETTINGS: file, PYTHONDONTWRITEBYTECODE: "1" },
  });
  const checks = JSON.parse(output) as Record<string, { fails: number }>;
  const failed = Object.keys(checks).filter((name) => (checks[name]?.fails ?? 0) > 0);
  expect(failed.sort()).toEqual([...broken, "an item retired two seconds ago is gone"].sort());
});
