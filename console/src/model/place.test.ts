import { expect, test } from "vitest";
import { pagesFor } from "./access.ts";
import { hashOf, keyIn, placeOf } from "./place.ts";

test("a link may bring a key, and say where to go with it", () => {
  expect(keyIn("#key=pxl_0123_ab")).toEqual({ key: "pxl_0123_ab", rest: "" });
  expect(keyIn("#key=pxl_0123_ab&page=/learner?id=ada")).toEqual({ key: "pxl_0123_ab", rest: "/learner?id=ada" });
  expect([keyIn(""), keyIn("#/practice?key=x")]).toEqual([null, null]);
});

test("a place is read back from its address, whatever the learner is called", () => {
  for (const id of ["ada", "a b&c=d#e", "ä/ö?"]) {
    expect(placeOf(hashOf("learner", { id }))).toEqual({ page: "learner", query: { id } });
  }
  expect(placeOf("")).toEqual({ page: "", query: {} });
  expect(hashOf("jobs")).toBe("#/jobs");
});

test("a key shows the pages of its scopes", () => {
  const names = (...scopes: Parameters<typeof pagesFor>[0]) => pagesFor(scopes).map(({ name }) => name);
  expect(names("operator")).toEqual(["pipeline", "parked", "jobs", "rebuild", "learner", "practice"]);
  expect(names("client")).toEqual(["learner", "practice"]);
  expect(names("analyst")).toEqual(["jobs", "learner"]);
  expect(names("author")).toEqual([]);
});
