import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../test/support/api.ts";
import { temporaryFolder } from "../../test/support/folders.ts";
import type { Console } from "./server-deps.ts";

let api: TestApi;
afterEach(() => api.stop());

const start = async (console: Console): Promise<void> => {
  api = await startTestApi(() => ({ console }));
};

function builtPages(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Proximal</title>");
  writeFileSync(join(folder, "assets", "index-abc123.js"), "export {};");
  return folder;
}

const anonymous = { key: null };

test("the pages: open to all, nothing from elsewhere, what is named by its content kept for ever", async () => {
  await start({ folder: builtPages(), jobsBoard: null });
  const moved = await api.call("GET", "/console", anonymous);
  expect([moved.status, moved.headers.location]).toEqual([308, "/console/"]);
  const page = await api.call("GET", "/console/", anonymous);
  expect([page.status, page.headers["cache-control"]]).toEqual([200, "no-cache"]);
  expect(page.text).toContain("<title>Proximal</title>");
  const policy = String(page.headers["content-security-policy"]);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toMatch(/unsafe|http|\*|data:/);
  expect(page.headers).toMatchObject({ "referrer-policy": "no-referrer", "x-content-type-options": "nosniff" });
  const asset = await api.call("GET", "/console/assets/index-abc123.js", anonymous);
  expect([asset.status, asset.headers["cache-control"]]).toEqual([200, "public, max-age=31536000, immutable"]);
  const gone = await api.call("GET", "/console/assets/index-old.js", anonymous);
  expect([gone.status, gone.json.code, gone.headers["cache-control"]]).toEqual([404, "not_found", "no-store"]);
  const outside = await api.call("GET", "/console/..%2f..%2fpackage.json", anonymous);
  expect(outside.status).toBeGreaterThanOrEqual(400);
});

test("where they are not built, a sentence says what to do", async () => {
  await start({ folder: null, jobsBoard: null });
  const { status, json } = await api.call("GET", "/console/", anonymous);
  expect([status, json.code]).toEqual([404, "not_found"]);
  expect(json.detail).toContain("npm run build:console");
});

test("the page of the queues is for operators, by a cookie that scripts do not see and other sites cannot send", async () => {
  const board: Console["jobsBoard"] = (path) => (pages, _options, done) => {
    pages.get("/", () => `queues at ${path}`);
    done();
  };
  await start({ folder: builtPages(), jobsBoard: board });
  const look = async (cookie: string | null) =>
    api.call("GET", "/console/jobs/", { key: null, headers: cookie === null ? {} : { cookie } });
  expect([(await look(null)).status, (await look("proximal_key=pxl_1_2")).status]).toEqual([401, 401]);
  expect((await look(null)).json.detail).toContain("from the console");

  const client = await api.key("client", "analyst");
  expect((await api.call("POST", "/console/session", { key: client })).status).toBe(403);
  expect((await look(`proximal_key=${client}`)).status).toBe(403);
  expect((await api.call("POST", "/console/session", anonymous)).status).toBe(401);

  const session = await api.call("POST", "/console/session");
  expect(session.json).toEqual({ jobsBoard: "/console/jobs/" });
  const cookie = String(session.headers["set-cookie"]);
  expect(cookie).toMatch(/; Path=\/console\/jobs; HttpOnly; SameSite=Strict$/);
  const shown = await look(cookie.split(";")[0] ?? "");
  expect([shown.status, shown.text]).toEqual([200, "queues at /console/jobs"]);
  // A key in a header is no session: a page load could not have sent it.
  expect((await api.call("GET", "/console/jobs/")).status).toBe(401);

  const left = await api.call("DELETE", "/console/session", anonymous);
  expect([left.status, String(left.headers["set-cookie"])]).toEqual([
    204,
    expect.stringMatching(/proximal_key=; Max-Age=0/),
  ]);
  expect(api.logged.join("")).not.toContain(api.operatorKey);
});

test("without queues a session opens nothing, and sets no cookie", async () => {
  await start({ folder: null, jobsBoard: null });
  const { json, headers } = await api.call("POST", "/console/session");
  expect([json, headers["set-cookie"]]).toEqual([{ jobsBoard: null }, undefined]);
});
