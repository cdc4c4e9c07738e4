import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newPlace, root, run, serve } from "./e2e/proximal.ts";

const readme = readFileSync(join(root, "README.md"), "utf8");

/** The first block of that kind under a heading of the README. */
function blockUnder(heading: string, kind: "sh" | "json" = "sh"): string {
  const section = readme.slice(readme.indexOf(`## ${heading}\n`));
  return new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``).exec(section)?.[1] ?? "";
}

/** Runs it with the server's address and key, a line between the replies. */
function paste(block: string, server: { readonly url: string; readonly key: string }): Record<string, unknown>[] {
  const script = block
    .replaceAll("localhost:3000", server.url)
    .replace(/^KEY=.*$/m, `KEY=${server.key}`)
    .replace(/curl -s (.*); }/, "curl -s $1; echo; }");
  const printed = execFileSync("bash", ["-c", script], { encoding: "utf8" });
  return printed.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
}

test("the first minutes of the README work when pasted", { timeout: 180_000 }, async () => {
  const server = await serve(newPlace());
  const [skills, items, posted, next] = paste(blockUnder("First minutes"), server);
  expect([skills?.published, items?.published, posted?.accepted]).toEqual([2, 3, 1]);
  expect(posted?.tokens).toEqual({ ada: "r1.p6" });
  const shown = JSON.parse(blockUnder("First minutes", "json"));
  expect(next).toEqual({ ...shown, ageMs: expect.any(Number), selectionId: expect.stringMatching(/^[0-9a-f]{24}$/) });
  await server.end("SIGTERM");
});

test("the main job of the README works on the sample log", { timeout: 180_000 }, async () => {
  const place = newPlace();
  const server = await serve(place);
  const [importLine = "", ...asked] = blockUnder("The main job, on real input").trim().split("\n");
  const args = /^npx proximal (.*)$/.exec(importLine)?.[1]?.split(" ") ?? [];
  expect(args).toEqual(["import", "interactions", "src/app/demo/sample-log.csv"]);
  const imported = await run(place, args);
  expect(imported.code, imported.stderr).toBe(0);
  await expect
    .poll(async () => (await server.get("/v1/learners/pablo/scores")).body.answers, { timeout: 30_000 })
    .toBe(110);
  await expect
    .poll(async () => (await server.get("/v1/popular?window=all")).body.items.length, { timeout: 30_000 })
    .toBeGreaterThan(0);

  const functions = blockUnder("First minutes").split("\n").slice(0, 2);
  const [next, scores, reviews, popular] = paste([...functions, ...asked].join("\n"), server);
  expect(next).toMatchObject({ learnerId: "pablo", source: "personal" });
  expect(next?.items).toHaveLength(3);
  expect(scores).toMatchObject({ answers: 110, correct: 74 });
  expect(reviews?.dueCount).toBeGreaterThan(0);
  expect(popular?.items).not.toEqual([]);
  await server.end("SIGTERM");
});
