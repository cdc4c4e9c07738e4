import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

/** Ids as long as they may be: many bytes a line, so that a large body has not too many interactions. */
const long = (text: string): string => `${text}-${"x".repeat(199 - text.length)}`;

/** So many bytes of NDJSON, or a line more; the ids begin with the name. Made while it is read. */
export function* ndjsonBody(name: string, bytes: number, learners = 200): Generator<string> {
  const rest = {
    itemId: long("item"),
    sessionId: long("session"),
    selectionId: long("selection"),
    source: long("app"),
  };
  let made = 0;
  for (let chunk = "", n = 0; made < bytes; chunk = "") {
    // In pieces as large as those of a file that is read.
    for (; chunk.length < 64 * 1024 && made + chunk.length < bytes; n += 1) {
      const ids = { id: long(`${name}-${n}`), learnerId: long(`learner-${n % learners}`) };
      chunk += `${JSON.stringify({ ...ids, ...rest, kind: "answer", correct: n % 3 > 0 })}\n`;
    }
    made += chunk.length;
    yield chunk;
  }
}

/** Posts it to a server, reading the outcomes as they come, and gives the summary. */
export async function postNdjson(
  { url, key }: { readonly url: string; readonly key: string },
  body: Iterable<string>,
): Promise<{ accepted: number; duplicates: number; rejected: number; lines: number }> {
  const sending = request(`${url}/v1/interactions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/x-ndjson" },
  });
  Readable.from(body).pipe(sending);
  const reply = await new Promise<Readable>((resolve, reject) =>
    sending.once("response", resolve).once("error", reject),
  );
  let last = "";
  for await (const line of createInterface({ input: reply })) last = line;
  const { summary, problem } = JSON.parse(last);
  if (summary === undefined || problem !== undefined) throw new Error(`the stream ended with ${last}`);
  return summary;
}

export interface Memory {
  readonly seconds: number;
  readonly megabytes: number;
}

/** Resident memory of a process while `work` is done, looked at ten times a second. Linux only. */
export async function memoryDuring(pid: number, work: () => Promise<unknown>): Promise<Memory[]> {
  const startedAt = performance.now();
  const seen: Memory[] = [];
  const look = (): void => {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    seen.push({ seconds: (performance.now() - startedAt) / 1000, megabytes: Math.round(Number(kilobytes) / 1024) });
  };
  const timer = setInterval(look, 100);
  try {
    await work();
    look();
  } finally {
    clearInterval(timer);
  }
  return seen;
}

export const peakOf = (seen: readonly Memory[]): number => Math.max(...seen.map(({ megabytes }) => megabytes));
