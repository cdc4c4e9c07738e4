import { isJsonObject } from "../../../domain/json-object.ts";

/** Fields of an interaction that a column can be read into, and what a cell of it may hold. */
const fieldReaders = {
  id: text,
  /** Only names the row: the id is made from it where there is no column for `id`. */
  seq: text,
  learnerId: text,
  itemId: text,
  skillIds: text,
  occurredAt: instant,
  correct: yesOrNo,
  score: number,
  rating: number,
  durationMs: number,
  hintCount: number,
  kind: text,
  sessionId: text,
  sessionType: text,
  trackId: text,
  selectionId: text,
  source: text,
} as const;

export type Field = keyof typeof fieldReaders;
export const fields = Object.keys(fieldReaders) as Field[];

/** Column names that are understood without `--map`, beside the fields' own names. */
const usualNames: Readonly<Record<string, Field>> = {
  interaction_id: "id",
  user_id: "learnerId",
  learner_id: "learnerId",
  student_id: "learnerId",
  item_id: "itemId",
  skill_ids: "skillIds",
  skill_id: "skillIds",
  timestamp: "occurredAt",
  occurred_at: "occurredAt",
  duration_ms: "durationMs",
  hint_count: "hintCount",
  session_id: "sessionId",
  session_type: "sessionType",
  track_id: "trackId",
  selection_id: "selectionId",
};

export interface Mapping {
  /** Column number of each field that the file has. */
  readonly columns: ReadonlyMap<Field, number>;
  /** Columns nobody asked for: read over. */
  readonly ignored: readonly string[];
  readonly skillSeparator: string;
  /** Before every id made here, so that a second log of the same learners does not meet the first one's ids. */
  readonly idPrefix: string;
}

export interface ImportedInteraction {
  /** Body of POST /v1/interactions. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly skillIds: readonly string[];
}
export type RowReading =
  | { readonly ok: true; readonly interaction: ImportedInteraction }
  | { readonly ok: false; readonly problem: string };

/** `given`: column name -> field, from `--map`. An answer that cannot work is a sentence that says what to do. */
export function mappingOf(
  header: readonly string[],
  given: ReadonlyMap<string, string>,
  options: { readonly skillSeparator: string; readonly idPrefix: string },
): Mapping | { readonly problem: string } {
  const columns = new Map<Field, number>();
  for (const [column, field] of given) {
    const at = header.indexOf(column);
    if (!isField(field)) return { problem: `--map ${column}=${field}: no such field; fields are ${fields.join(", ")}` };
    if (at < 0) return { problem: `--map ${column}=${field}: no such column; the file has ${header.join(", ")}` };
    columns.set(field, at);
  }
  header.forEach((column, at) => {
    const field = isField(column) ? column : usualNames[column];
    if (field !== undefined && !columns.has(field) && !given.has(column)) columns.set(field, at);
  });
  const missing = (["learnerId", "itemId"] as const).filter((field) => !columns.has(field));
  if (missing.length > 0) {
    const example = `--map ${header[0] ?? "column"}=${missing[0]}`;
    return {
      problem: `no column for ${missing.join(" and ")}; the file has ${header.join(", ")}; say which, like ${example}`,
    };
  }
  const used = new Set(columns.values());
  return { columns, ignored: header.filter((_, at) => !used.has(at)), ...options };
}

/** `row`: 1 for the first one under the header. */
export function readRow(mapping: Mapping, cells: readonly string[], width: number, row: number): RowReading {
  if (cells.length !== width) return { ok: false, problem: `${cells.length} columns where the header has ${width}` };
  const values: Record<string, unknown> = {};
  for (const [field, column] of mapping.columns) {
    const cell = (cells[column] ?? "").trim();
    if (cell === "") continue;
    const value = fieldReaders[field](cell);
    if (value instanceof BadCell) return { ok: false, problem: `${field}: ${value.why}` };
    if (value !== undefined) values[field] = value;
  }
  const { seq, skillIds, ...input } = values;
  const list = typeof skillIds === "string" ? skillIds.split(mapping.skillSeparator) : [];
  return {
    ok: true,
    interaction: {
      input: { id: idOfRow(mapping.idPrefix, seq, row), kind: "answer", ...input },
      skillIds: list.map((skill) => skill.trim()).filter((skill) => skill !== ""),
    },
  };
}

/** A line of NDJSON: the body of POST /v1/interactions, and `skillIds` if the item should be published with them. */
export function readObject(value: unknown, idPrefix: string, row: number): RowReading {
  if (!isJsonObject(value)) {
    return { ok: false, problem: "not a JSON object" };
  }
  const { skillIds = [], ...input } = value;
  if (!isListOfTexts(skillIds)) return { ok: false, problem: "skillIds: a list of texts" };
  return { ok: true, interaction: { input: { id: idOfRow(idPrefix, undefined, row), ...input }, skillIds } };
}

/** Stable: importing the file again, or a longer version of it, gives the same rows the same ids. */
function idOfRow(prefix: string, seq: unknown, row: number): string {
  return typeof seq === "string" ? `${prefix}seq-${seq}` : `${prefix}row-${row}`;
}

class BadCell {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

function text(cell: string): string {
  return cell;
}

function number(cell: string): number | BadCell {
  const value = Number(cell);
  return Number.isFinite(value) ? value : new BadCell(`a number, not ${shown(cell)}`);
}

function yesOrNo(cell: string): boolean | BadCell {
  if (/^(1|1\.0|true|yes)$/i.test(cell)) return true;
  if (/^(0|0\.0|false|no)$/i.test(cell)) return false;
  return new BadCell(`0 or 1, not ${shown(cell)}`);
}

const isoLike = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$/;

/** Seconds or milliseconds since 1970, or ISO 8601 (UTC where it says no zone). 0 means: not recorded. */
function instant(cell: string): string | undefined | BadCell {
  const zone = isoLike.exec(cell);
  const asNumber = Number(cell);
  let at = Number.NaN;
  // No log of learners reaches back to 1973 in milliseconds, nor forward to the year 5138 in seconds.
  if (Number.isFinite(asNumber)) at = Math.abs(asNumber) < 1e11 ? asNumber * 1000 : asNumber;
  else if (zone !== null)
    at = Date.parse(zone[1] === undefined ? `${cell.replace(" ", "T")}${cell.length > 10 ? "Z" : ""}` : cell);
  if (at === 0) return undefined;
  const year = new Date(at).getUTCFullYear();
  if (!(year >= 0 && year <= 9999))
    return new BadCell(`seconds or milliseconds since 1970 or ISO 8601, not ${shown(cell)}`);
  return new Date(at).toISOString();
}

function shown(cell: string): string {
  return JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}...` : cell);
}

function isField(name: string): name is Field {
  return Object.hasOwn(fieldReaders, name);
}

function isListOfTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
