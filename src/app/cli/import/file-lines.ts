import { createReadStream } from "node:fs";

export interface Line {
  /** 1-based. */
  readonly line: number;
  /** Without its end; null where it is longer than allowed (the rest of it is read over, never held). */
  readonly text: string | null;
}

/** The lines of a UTF-8 file, whatever its size; empty ones are left out. A byte order mark is dropped. */
export async function* fileLines(path: string, maxBytes: number): AsyncGenerator<Line> {
  let line = 1;
  let held: Buffer[] = [];
  let size = 0;
  const take = (): Line | null => {
    const whole =
      size > maxBytes
        ? null
        : Buffer.concat(held)
            .toString("utf8")
            .replace(/^\uFEFF|\r$/g, "");
    held = [];
    size = 0;
    line += 1;
    return whole === "" ? null : { line: line - 1, text: whole };
  };
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      size += at - from;
      if (size <= maxBytes) held.push(chunk.subarray(from, at));
      const next = take();
      if (next !== null) yield next;
      from = at + 1;
    }
    size += chunk.length - from;
    if (size <= maxBytes) held.push(chunk.subarray(from));
  }
  const last = size > 0 ? take() : null;
  if (last !== null) yield last;
}
