import { isUtf8 } from "node:buffer";

/** One line as it came: its text, or why it cannot be text. `line` counts from 1. */
export type Line =
  | { readonly line: number; readonly text: string }
  | { readonly line: number; readonly problem: string };

const newline = 10;

/**
 * Cuts a stream of bytes into lines, as it arrives: each batch holds the lines that were complete with one chunk. Blank
 * lines are counted and left out. Never holds more than one chunk and one line; a line past `maxBytes` is dropped while
 * it passes by, and reported when it ends.
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let dropping = false;
  let line = 0;
  const tooLong = (): Line => ({ line, problem: `the line is longer than ${maxBytes} bytes` });

  const take = (bytes: Buffer): Line | null => {
    line += 1;
    const whole = restBytes > 0 ? Buffer.concat([...rest, bytes]) : bytes;
    const dropped = dropping;
    rest = [];
    restBytes = 0;
    dropping = false;
    if (dropped || whole.length > maxBytes) return tooLong();
    return toLine(line, whole);
  };

  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const found = take(chunk.subarray(start, end));
      if (found !== null) lines.push(found);
      start = end + 1;
    }
    if (start < chunk.length && !dropping) {
      rest.push(chunk.subarray(start));
      restBytes += chunk.length - start;
      if (restBytes > maxBytes) {
        dropping = true;
        rest = [];
        restBytes = 0;
      }
    }
    if (lines.length > 0) yield lines;
  }
  if (restBytes > 0 || dropping) {
    const last = take(Buffer.alloc(0));
    if (last !== null) yield [last];
  }
}

function toLine(line: number, bytes: Buffer): Line | null {
  if (!isUtf8(bytes)) return { line, problem: "not valid UTF-8" };
  const text = bytes.toString("utf8").trim();
  return text === "" ? null : { line, text };
}
