/** Of the length of a part, and what stands around it. */
const headMax = 16;
const [dollar, star, cr, lf, zero] = [36, 42, 13, 10, 48] as const;

/** A request to Redis (RESP) of these parts, one after the other, in one buffer. */
export function encodeRequest(...parts: readonly (readonly (string | Buffer)[])[]): Buffer {
  let count = 0;
  let most = headMax;
  for (const some of parts) {
    count += some.length;
    // In UTF-8 a character takes three bytes at the most.
    for (const part of some) most += headMax + (typeof part === "string" ? 3 * part.length : part.length);
  }
  const buffer = Buffer.allocUnsafe(most);
  let at = writeHead(buffer, 0, star, count);
  for (const some of parts) {
    for (const part of some) at = typeof part === "string" ? writeText(buffer, at, part) : writeBytes(buffer, at, part);
  }
  return buffer.subarray(0, at);
}

function writeBytes(buffer: Buffer, from: number, bytes: Buffer): number {
  const at = writeHead(buffer, from, dollar, bytes.length);
  buffer.set(bytes, at);
  return writeEnd(buffer, at + bytes.length);
}

function writeText(buffer: Buffer, from: number, text: string): number {
  const at = writeHead(buffer, from, dollar, text.length);
  for (let k = 0; k < text.length; k++) {
    const code = text.charCodeAt(k);
    // Its bytes are more than its characters.
    if (code >= 0x80) return writeBytes(buffer, from, Buffer.from(text));
    buffer[at + k] = code;
  }
  return writeEnd(buffer, at + text.length);
}

/** What kind of thing comes, and how long it is. */
function writeHead(buffer: Buffer, from: number, kind: number, length: number): number {
  buffer[from] = kind;
  let digits = 1;
  for (let rest = length; rest >= 10; rest = Math.floor(rest / 10)) digits += 1;
  for (let k = digits, rest = length; k > 0; k -= 1, rest = Math.floor(rest / 10))
    buffer[from + k] = zero + (rest % 10);
  return writeEnd(buffer, from + 1 + digits);
}

function writeEnd(buffer: Buffer, at: number): number {
  buffer[at] = cr;
  buffer[at + 1] = lf;
  return at + 2;
}
