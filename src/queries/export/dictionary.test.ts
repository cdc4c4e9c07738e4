import { expect, test } from "vitest";
import { dictionaryJson, dictionaryMarkdown } from "./dictionary.ts";
import { tableNames, tables } from "./tables.ts";

test("docs/export-dictionary.md says what the tables are", async () => {
  const head = [
    "# What is exported, column by column",
    "",
    "Every format has these columns ([export.md](export.md)). `npx proximal export <what> --dictionary` prints them, with",
    "`--dictionary columns.json` as JSON.",
    "",
    "This file is made from `src/queries/export/tables.ts`: `npx vitest run -u --project unit src/queries/export/dictionary.test.ts`.",
    "",
  ];
  const text = `${head.join("\n")}\n${tableNames.map((name) => dictionaryMarkdown(tables[name])).join("\n")}`;
  await expect(text).toMatchFileSnapshot("../../../docs/export-dictionary.md");
});

test("as JSON it has all that programs need", () => {
  expect(dictionaryJson(tables.popular)).toMatchObject({
    table: "popular",
    columns: [
      { name: "scope", type: "text", nullable: false, values: ["all", "track", "skill"] },
      { name: "scopeId", type: "text", nullable: true, values: null },
      ...Array.from({ length: 6 }, () => ({ description: expect.stringMatching(/^[A-Z].{5}/) })),
    ],
  });
});
