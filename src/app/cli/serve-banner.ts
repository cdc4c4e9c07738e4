import type { Service } from "../service.ts";
import { count } from "./io.ts";

/** What `serve` prints once it is ready: what it runs on, the key, and lines that work when pasted into bash. */
export function banner(service: Service, startedMs: number): string {
  const { url, key, runsOn, events, catalogue, model } = service;
  const version = model.version === 0 ? "not trained yet" : `version ${model.version}`;
  return `
Proximal is ready at ${url} (after ${(startedMs / 1000).toFixed(1)} s)

  event log      ${runsOn.log}, ${count(events)} events
  read models    ${runsOn.readModels}
  learner model  ${model.name}, ${version}
  catalogue      ${count(catalogue.items.size)} items, ${count(catalogue.skills.size)} skills, ${count(catalogue.tracks.size)} tracks
  documentation  ${url}/docs
  API key        ${key}
                 (all scopes, until the next start; others: npx proximal keys create)

Try it, in another terminal:

${tryLines(service)
  .map((line) => `  ${line}`)
  .join("\n")}

Ctrl-C stops it.
`;
}

/** Each line stands for itself once KEY is set. */
export function tryLines({ url, key, catalogue }: Pick<Service, "url" | "key" | "catalogue">): string[] {
  const auth = '-H "authorization: Bearer $KEY"';
  const json = `-H 'content-type: application/json'`;
  const items = [...catalogue.items.values()].filter((item) => !item.retired);
  const itemId = items[0]?.itemId ?? "sum-1";
  const answer = JSON.stringify({ learnerId: "me", itemId, kind: "answer", correct: true, durationMs: 4200 });
  return [
    `KEY=${key}`,
    ...(items.length === 0 ? publishLines(url, auth, json) : []),
    `curl -s ${url}/v1/interactions ${auth} ${json} -d '${answer}'`,
    `curl -s '${url}/v1/learners/me/next?count=3' ${auth}`,
    `curl -s ${url}/v1/learners/me/scores ${auth}`,
  ];
}

/** An empty catalogue has nothing to choose from. */
function publishLines(url: string, auth: string, json: string): string[] {
  const skill = JSON.stringify({ skillId: "sums", title: "Sums" });
  const items = ["2 + 3 = ?", "4 + 7 = ?", "9 + 8 = ?"].map((title, i) => ({
    itemId: `sum-${i + 1}`,
    title,
    skillIds: ["sums"],
  }));
  return [
    `curl -s ${url}/v1/skills ${auth} ${json} -d '${skill}'`,
    `curl -s ${url}/v1/items ${auth} ${json} -d '${JSON.stringify(items)}'`,
  ];
}

/** What to look at while the simulated class works. */
export function demoBanner({ url }: Pick<Service, "url">, learnerIds: readonly string[]): string {
  const [one = "ada", other = "ben"] = learnerIds;
  const auth = '-H "authorization: Bearer $KEY"';
  return `
A simulated class works on the course now. Look at it:

  curl -s '${url}/v1/learners/${one}/next?count=5' ${auth}
  curl -s ${url}/v1/learners/${one}/scores ${auth}
  curl -s ${url}/v1/learners/${other}/reviews ${auth}
  curl -s '${url}/v1/learners/${other}/history?count=5' ${auth}
  curl -s '${url}/v1/popular?window=week' ${auth}
  curl -s '${url}/v1/learners/somebody-new/next?count=5' ${auth}
`;
}
