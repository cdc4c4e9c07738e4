import type { Table } from "./table.ts";

/** The data dictionary of a table, for programs. */
export function dictionaryJson({ name, description, columns }: Table): unknown {
  return { table: name, description, columns };
}

/** The same for people, as Markdown. */
export function dictionaryMarkdown({ name, description, columns }: Table): string {
  const rows = columns.map(({ name: column, type, nullable, description: meaning, values }) => {
    const allowed = values === null ? "" : `: ${values.map((value) => `\`${value}\``).join(", ")}`;
    return `| \`${column}\` | ${type}${nullable ? ", may be null" : ""} | ${meaning}${allowed} |`;
  });
  return [`## ${name}`, "", `${description}.`, "", "| column | type | meaning |", "|---|---|---|", ...rows, ""].join(
    "\n",
  );
}
