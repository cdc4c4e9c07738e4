/** Reversed polynomial of CRC-32C (Castagnoli), with which Kafka and iSCSI sum: zlib's CRC-32 has another. */
const polynomial = 0x82f63b78;
const strides = 8;

/** The sum of a byte that 0 to 7 zeroes follow, 256 of each. */
const tables = tablesOfBytes();

function tablesOfBytes(): Int32Array {
  const found = new Int32Array(256 * strides);
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? polynomial : 0);
    found[byte] = sum;
  }
  for (let at = 256; at < found.length; at++) {
    const before = found[at - 256] as number;
    found[at] = (before >>> 8) ^ (found[before & 0xff] as number);
  }
  return found;
}

/** CRC-32C of bytes, 0 to 2^32 - 1 (RFC 3720, appendix B.4); eight bytes at a time, as none of them waits for the one before. */
export function crc32c(bytes: Uint8Array): number {
  const [t, { length }] = [tables, bytes];
  const byte = (at: number): number => bytes[at] as number;
  const sumOf = (table: number, value: number): number => t[256 * table + (value & 0xff)] as number;
  let sum = -1;
  let at = 0;
  for (; at + strides <= length; at += strides) {
    const first = sum ^ (byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24));
    sum =
      sumOf(7, first) ^
      sumOf(6, first >>> 8) ^
      sumOf(5, first >>> 16) ^
      sumOf(4, first >>> 24) ^
      sumOf(3, byte(at + 4)) ^
      sumOf(2, byte(at + 5)) ^
      sumOf(1, byte(at + 6)) ^
      sumOf(0, byte(at + 7));
  }
  for (; at < length; at++) sum = sumOf(0, sum ^ byte(at)) ^ (sum >>> 8);
  return ~sum >>> 0;
}
