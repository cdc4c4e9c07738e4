import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../test/support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

test("the document is valid OpenAPI 3.1", async () => {
  const { status, json } = await api.call("GET", "/docs/json", { key: null });
  expect(status).toBe(200);
  const validator = new Validator();
  const { valid, errors } = await validator.validate(json);
  expect(errors).toBeUndefined();
  expect([valid, validator.version]).toEqual([true, "3.1"]);
});

test("each operation has a summary, a tag, an answer and the problem; ids in paths are described", async () => {
  const { json } = await api.call("GET", "/docs/json", { key: null });
  const known = new Set(json.tags.map((tag: { name: string }) => tag.name));
  for (const [path, methods] of Object.entries<Record<string, Record<string, unknown>>>(json.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const at = `${method} ${path}`;
      expect(operation.summary, at).toBeTruthy();
      expect(known.has((operation.tags as string[])[0]), at).toBe(true);
      const statuses = Object.keys(operation.responses as object);
      expect(
        statuses.some((status) => status.startsWith("2")),
        at,
      ).toBe(true);
      if (path !== "/healthz") expect(statuses, at).toContain("default");
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const parameters = (operation.parameters ?? []) as { in: string; name: string }[];
      expect(
        parameters.filter((one) => one.in === "path").map(({ name }) => name),
        at,
      ).toEqual(named);
    }
  }
});

test("interactions are described as JSON and as NDJSON, with their fields", async () => {
  const { json } = await api.call("GET", "/docs/json", { key: null });
  const { content } = json.paths["/v1/interactions"].post.requestBody;
  expect(Object.keys(content)).toEqual(["application/json", "application/x-ndjson"]);
  const [one] = content["application/json"].schema.anyOf;
  expect(Object.keys(one.properties)).toEqual(
    expect.arrayContaining(["id", "learnerId", "itemId", "kind", "occurredAt"]),
  );
  expect(one.additionalProperties).toBe(false);
});

test("there is a page to try it, and one that explains the problems", async () => {
  const page = await api.call("GET", "/docs/", { key: null });
  expect([page.status, String(page.headers["content-type"])]).toEqual([200, "text/html; charset=utf-8"]);
  expect(page.text).toContain("swagger-ui");
  const script = /src="(\.?\/?[^"]*swagger-ui-bundle\.js)"/.exec(page.text)?.[1] ?? "";
  expect((await api.call("GET", new URL(script, "http://x/docs/").pathname, { key: null })).status).toBe(200);
  const explained = await api.call("GET", "/docs/problems", { key: null });
  expect(explained.text).toContain('id="interaction_conflict"');
});
