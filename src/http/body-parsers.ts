import { readJson } from "./json-body.ts";
import { Problem } from "./problem.ts";
import type { App } from "./services.ts";

export const ndjsonType = "application/x-ndjson";

/** Bodies are read as JSON, whole and bounded, or as NDJSON, handed on as a stream. Anything else is a 415. */
export function addBodyParsers(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ["application/json", "application/*+json"],
    { parseAs: "buffer" },
    (_request, body, done) => {
      // No body at all is for the route to judge: a DELETE may well come with this content type and nothing else.
      if (body.length === 0) return done(null, undefined);
      const reading = readJson(Buffer.isBuffer(body) ? body : Buffer.from(body));
      if (reading.ok) return done(null, reading.value);
      const errors = [{ path: "", message: reading.message }];
      done(new Problem("malformed_json", { detail: reading.message, errors }));
    },
  );
  app.addContentTypeParser([ndjsonType, "application/ndjson", "application/jsonl"], (_request, payload, done) => {
    done(null, payload);
  });
}
