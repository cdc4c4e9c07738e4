import { createApiClient } from "../../src/app/api-client.ts";
import { course } from "../../src/app/demo/course.ts";
import { publishCourse } from "../../src/app/demo/publish-course.ts";
import type { Running } from "../../test/e2e/proximal.ts";

export const apiOf = ({ url, key }: Pick<Running, "url" | "key">) => createApiClient({ url, key });

/** The demo course, and a learner who did so many of its easier exercises: the first half right, then every third wrong. */
export async function prepareSchool(
  server: Pick<Running, "url" | "key">,
  learnerId: string,
  answers: number,
): Promise<void> {
  const api = apiOf(server);
  await publishCourse(api, course);
  const first = Date.now() - answers * 3_600_000;
  const posted = (await api.post(
    "/v1/interactions",
    Array.from({ length: answers }, (_, n) => ({
      ...{ id: `past-${n}`, learnerId, itemId: course.items[n % 36]?.itemId, kind: "answer", trackId: "algebra" },
      ...{ correct: n < answers / 2 || n % 3 !== 0, durationMs: 4_000 + 500 * (n % 7) },
      occurredAt: new Date(first + n * 3_600_000).toISOString(),
    })),
  )) as { accepted: number; tokens: Record<string, string> };
  if (posted.accepted !== answers) throw new Error(`accepted ${posted.accepted} of ${answers} answers`);
  await api.get(`/v1/learners/${learnerId}/scores`, { after: posted.tokens[learnerId] });
}
