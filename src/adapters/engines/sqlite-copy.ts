import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { backup, DatabaseSync } from "node:sqlite";

export interface Copied {
  readonly bytes: number;
  readonly sha256: string;
}

/** More pages than any file has: all of them in one go, by one view of the database, however much others write. */
const allPages = 2 ** 31 - 1;
const lookEveryMs = 200;

/**
 * A copy of a database as it stands at one moment, while others read and write it. The copy is on the disk and was found
 * whole when this resolves. Rejects where the source is no database, or damaged.
 */
export async function copySqlite(from: string, to: string, onBytes: (bytes: number) => void): Promise<Copied> {
  const source = new DatabaseSync(from, { readOnly: true, timeout: 10_000 });
  const timer = setInterval(() => {
    stat(to).then(
      ({ size }) => onBytes(size),
      () => undefined,
    );
  }, lookEveryMs);
  try {
    await backup(source, to, { rate: allPages });
  } finally {
    clearInterval(timer);
    source.close();
  }
  checkSqlite(to);
  await syncFile(to);
  const copied = { bytes: (await stat(to)).size, sha256: await sha256Of(to) };
  onBytes(copied.bytes);
  return copied;
}

/** Throws where the file is no database, or its pages do not fit together. */
export function checkSqlite(file: string): void {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const found = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
    if (found !== "ok") throw new Error(`${file} is damaged: ${found}`);
  } finally {
    database.close();
  }
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
