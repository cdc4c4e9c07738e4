const traceparentPattern =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]{0,100})?$/;

/** The W3C trace context a request carries, undefined where there is none or it is not well-formed. */
export function traceparentOf(headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined {
  const header = headers.traceparent;
  return typeof header === "string" && traceparentPattern.test(header) ? header : undefined;
}
