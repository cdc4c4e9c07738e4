import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../e2e/proximal.ts";

const script = join(root, "infra/eventstoredb/backup.sh");

test("EventStoreDB's files, written to while they are copied: no checkpoint counts what was not copied", async () => {
  const folder = mkdtempSync(join(tmpdir(), "proximal-esdb-files-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, "data");
  mkdirSync(join(data, "index/stream-existence"), { recursive: true });
  for (const name of ["indexmap", "a-table", "stream-existence/streamExistenceFilter.chk"]) {
    writeFileSync(join(data, "index", name), name);
  }
  const chunk = join(data, "chunk-000000.000000");
  let written = 0;
  const writer = openSync(chunk, "w");
  const checkpoints = ["writer.chk", "chaser.chk"].map((name) => openSync(join(data, name), "w"));
  /** First the bytes, then the checkpoint, as a node does. */
  const write = (): void => {
    written += writeSync(writer, Buffer.alloc(4096));
    for (const file of checkpoints) writeSync(file, String(written).padStart(12, "0"), 0);
  };
  write();
  for (let n = 0; n < 3; n += 1) {
    const target = join(folder, `backup-${n}`);
    const child = spawn("bash", [script, data, target], { stdio: "ignore" });
    const ended = once(child, "close");
    let over = false;
    void ended.then(() => {
      over = true;
    });
    while (!over) {
      write();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await ended)[0]).toBe(0);
    const counted = Number(readFileSync(join(target, "chaser.chk"), "utf8"));
    expect(counted).toBeGreaterThan(0);
    expect(statSync(join(target, "chunk-000000.000000")).size).toBeGreaterThanOrEqual(counted);
    expect(Number(readFileSync(join(target, "truncate.chk"), "utf8"))).toBe(counted);
    expect(readdirSync(join(target, "index")).sort()).toEqual(["a-table", "indexmap", "stream-existence"]);
  }
  for (const file of [writer, ...checkpoints]) closeSync(file);
  expect(spawnSync("bash", [script, data, join(folder, "backup-0")]).status).toBe(1);
  expect(spawnSync("bash", [script, folder, join(folder, "other")]).status).toBe(1);
});
