import { hash } from "node:crypto";

/**
 * UUID (version 8) that follows from what an event is about, so that the log knows a repeat by itself. Ids hold no control
 * characters, so the zero byte between the parts cannot be of one of them.
 */
export function derivedEventId(...parts: readonly string[]): string {
  const digest = hash("sha256", parts.join("\0"), "hex");
  const variant = ((Number.parseInt(digest.charAt(16), 16) & 3) | 8).toString(16);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}
