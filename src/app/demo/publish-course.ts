import type { ApiClient } from "../api-client.ts";
import type { Course } from "./course.ts";

/** Entries in one request. */
const atOnce = 500;

/** Publishes the course through the API; resolves with the number of entries that were not there, or not so, before. */
export async function publishCourse(api: ApiClient, course: Course): Promise<number> {
  let changed = 0;
  for (const [path, entries] of [
    ["/v1/skills", course.skills],
    ["/v1/items", course.items],
    ["/v1/tracks", course.tracks],
  ] as const) {
    for (let from = 0; from < entries.length; from += atOnce) {
      const reply = (await api.post(path, entries.slice(from, from + atOnce))) as PublishReply;
      const refused = reply.outcomes.find(({ status }) => status === "refused");
      if (refused !== undefined) throw new Error(`the demo course was refused: ${JSON.stringify(refused)}`);
      changed += reply.published + reply.revised;
    }
  }
  return changed;
}

interface PublishReply {
  readonly published: number;
  readonly revised: number;
  readonly outcomes: readonly { readonly status: string }[];
}
