import type { Service } from "../service.ts";
import { count } from "./io.ts";

/** What `serve` prints once it is ready: what it runs on, the key, and lines that work when pasted into bash. */
export function banner(service: Service, startedMs: number, processes = 1): string {
  const { role, url, key } = service;
  const who = role === "all" ? "Proximal" : `Proximal's ${role}`;
  const lines = [
    `${who} is ready at ${url} (after ${(startedMs / 1000).toFixed(1)} s)`,
    "",
    ...[...rowsOf(service), ...processRows(processes)].map(([what, value]) => `  ${what.padEnd(15)}${value}`.trimEnd()),
    "",
    ...(key === null
      ? []
      : ["Try it, in another terminal:", "", ...tryLines(service, key).map((line) => `  ${line}`), ""]),
    "Ctrl-C stops it.",
  ];
  return `\n${lines.join("\n")}\n`;
}

const processRows = (processes: number): [string, string][] =>
  processes === 1 ? [] : [["processes", `${processes} on this port; one that dies is replaced`]];

function rowsOf({ url, key, runsOn, events, knows }: Service): [string, string][] {
  const rows: [string, string][] = [["event log", `${runsOn.log}, ${count(events)} events`]];
  if (runsOn.readModels !== null) rows.push(["read models", runsOn.readModels]);
  if (knows === null) return [...rows, ["health", `${url}/readyz and ${url}/metrics`]];
  const { catalogue, model } = knows;
  const version = model.version === 0 ? "not trained yet" : `version ${model.version}`;
  const { items, skills, tracks } = catalogue;
  rows.push(
    ["learner model", `${model.name}, ${version}`],
    ["catalogue", `${count(items.size)} items, ${count(skills.size)} skills, ${count(tracks.size)} tracks`],
    ["documentation", `${url}/docs`],
  );
  if (key === null)
    return [
      ...rows,
      ["console", `${url}/console/`],
      ["API keys", "npx proximal keys create --name app --scope client"],
    ];
  return [
    ...rows,
    // What stands behind # never leaves the browser.
    ["console", `${url}/console/#key=${key}`],
    ["API key", key],
    ["", "(all scopes, until the next start; others: npx proximal keys create)"],
  ];
}

/** Each line stands for itself once KEY is set. */
export function tryLines({ url, knows }: Pick<Service, "url" | "knows">, key: string): string[] {
  const auth = '-H "authorization: Bearer $KEY"';
  const json = `-H 'content-type: application/json'`;
  const items = [...(knows?.catalogue.items.values() ?? [])].filter((item) => !item.retired);
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
