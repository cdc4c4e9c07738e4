/** Values of rows are JSON in UTF-8. */
export function toBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export function fromBytes(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString());
}

/** The same bytes, not a copy. */
export const asBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length);
