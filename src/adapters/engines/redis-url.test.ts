import { describe, expect, test } from "vitest";
import { parseRedisUrl } from "./redis-url.ts";

describe("the URL of a Redis", () => {
  test.each([
    ["redis://localhost", "single", ["localhost:6379"], null, null, null, 0, false],
    ["redis://", "single", ["localhost:6379"], null, null, null, 0, false],
    ["rediss://me:s%40ecret%2F@h:7/3", "single", ["h:7"], null, "me", "s@ecret/", 3, true],
    ["redis://:only@h", "single", ["h:6379"], null, null, "only", 0, false],
    ["redis://[::1]:7000/", "single", ["::1:7000"], null, null, null, 0, false],
    ["redis+sentinel://a:1,b:2,c/name", "sentinel", ["a:1", "b:2", "c:26379"], "name", null, null, 0, false],
    ["redis+sentinel://u:p@a:1/name/4", "sentinel", ["a:1"], "name", "u", "p", 4, false],
    ["redis+cluster://u:p:q@a:1,[fe80::1]:2", "cluster", ["a:1", "fe80::1:2"], null, "u", "p:q", 0, false],
    ["rediss+cluster://a:1,b:2/", "cluster", ["a:1", "b:2"], null, null, null, 0, true],
  ])("%s", (url, kind, hosts, name, username, password, database, tls) => {
    const { hosts: found, ...rest } = parseRedisUrl(url);
    expect(rest).toEqual({ kind, name, username, password, database, tls });
    expect(found.map(({ host, port }) => `${host}:${port}`)).toEqual(hosts);
  });

  test.each([
    "http://h",
    "redis://a:1,b:2",
    "redis://h/name",
    "redis://h:port",
    "redis+sentinel://a:1",
    "redis+cluster://a:1/3",
    "redis+other://a:1",
  ])("%s is refused", (url) => expect(() => parseRedisUrl(url)).toThrow("no URL of a Redis"));

  test("a refusal shows no password", () => {
    expect(() => parseRedisUrl("redis://me:hunter2@a,b")).toThrow(/^(?!.*hunter2)/);
  });
});
