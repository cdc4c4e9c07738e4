import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withTables } from "./support/capacity-document.ts";

/** After costs, prices or the arithmetic have changed: `npx vitest run --project unit test/capacity-document.test.ts -u`. */
test("the tables of docs/capacity.md are what plans and measurements say now", async () => {
  const text = readFileSync(join(import.meta.dirname, "../docs/capacity.md"), "utf8");
  expect(text.match(/<!-- made: /g)?.length).toBe(7);
  await expect(withTables(text)).toMatchFileSnapshot("../docs/capacity.md");
});
