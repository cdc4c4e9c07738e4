import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqliteApiKeys } from "../src/adapters/api-keys/sqlite.ts";
import { openSqliteBlobs } from "../src/adapters/blobs/sqlite.ts";
import { openSqliteLog } from "../src/adapters/event-store/sqlite/log.ts";
import { currentSchemaVersion } from "../src/domain/events.ts";

test("the backup of the runbook, taken while the log is open, is a log that opens", async () => {
  const runbook = readFileSync(join(import.meta.dirname, "../docs/runbook.md"), "utf8");
  const script = /-e '\n([\s\S]*?)\n {4}'\n/.exec(runbook)?.[1] ?? "";
  expect(script).toContain("backup(");

  const cwd = mkdtempSync(join(tmpdir(), "proximal-backup-"));
  try {
    const folder = join(cwd, ".proximal");
    const log = await openSqliteLog({ folder });
    const blobs = await openSqliteBlobs({ folder });
    const keys = await openSqliteApiKeys({ folder });
    await append(log, 1);
    execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", "-e", script], { cwd });
    await append(log, 2);
    await Promise.all([log.close(), blobs.close(), keys.close()]);

    const restored = await openSqliteLog({ folder: join(cwd, "backup") });
    expect(await restored.head()).toBe(1);
    expect((await restored.read(0, 10)).events.map((event) => event.data)).toEqual([{ skillId: "s1" }]);
    await restored.close();
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
});

async function append(log: Awaited<ReturnType<typeof openSqliteLog>>, n: number): Promise<void> {
  const event = {
    eventId: crypto.randomUUID(),
    type: "SkillRetired",
    data: { skillId: `s${n}` },
    metadata: { schemaVersion: currentSchemaVersion },
    recordedAt: new Date().toISOString(),
  };
  const [result] = await log.append([{ stream: `skill-s${n}`, expected: "none", events: [event] }]);
  expect(result?.status).toBe("appended");
}
