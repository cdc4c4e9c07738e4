/** Of the first bytes, four at a time. No change within four of them goes unseen: against damage, not against malice. */
export function checksum(bytes: DataView, length: number): number {
  let sum = length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    sum = Math.imul(sum ^ bytes.getInt32(at, true), 0x85ebca6b);
    sum ^= sum >>> 15;
  }
  for (; at < length; at++) sum = Math.imul(sum ^ bytes.getUint8(at), 0x85ebca6b);
  return sum;
}
