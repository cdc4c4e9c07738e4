import { z } from "zod";

/**
 * "list": of texts. "time": ISO 8601 in UTC, to the millisecond. "json": any JSON. In Parquet text is UTF-8 (with a dictionary
 * where that is shorter), integer INT64, number DOUBLE, time TIMESTAMP in UTC, list LIST of text, json JSON. In CSV a list is a
 * JSON array, and nothing stands for null.
 */
export type ColumnType = "text" | "integer" | "number" | "boolean" | "time" | "list" | "json";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly description: string;
  /** What a text may be, where that is known. */
  readonly values: readonly string[] | null;
}

/** What is exported as one file: rows of the same columns. */
export interface Table<Row = Record<string, unknown>> {
  readonly name: string;
  readonly description: string;
  readonly columns: readonly Column[];
  /** Only says what a row is. */
  readonly row?: Row;
}

/** The columns are the fields of the schema, which says of each what it is. Throws where it does not. */
export function tableOf<Schema extends z.ZodObject>(
  name: string,
  description: string,
  schema: Schema,
): Table<z.output<Schema>> {
  const columns = Object.entries(schema.shape).map(([field, type]) => columnOf(field, type as z.ZodType));
  return { name, description, columns };
}

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
}

function columnOf(name: string, schema: z.ZodType): Column {
  const whole = z.toJSONSchema(schema, { io: "output", unrepresentable: "any" }) as JsonSchema;
  const some = whole.anyOf?.find(({ type }) => type !== "null") ?? whole;
  const description = whole.description ?? some.description;
  if (description === undefined) throw new Error(`the column ${name} has no description`);
  const values = some.enum?.filter((value) => value !== null) ?? null;
  return { name, type: typeOf(some), nullable: schema.safeParse(null).success, description, values };
}

function typeOf({ type: types, format }: JsonSchema): ColumnType {
  const type = Array.isArray(types) ? types.find((one) => one !== "null") : types;
  if (type === "string") return format === "date-time" ? "time" : "text";
  if (type === "integer" || type === "number" || type === "boolean") return type;
  return type === "array" ? "list" : "json";
}

export type Row = Readonly<Record<string, unknown>>;

/** Writes rows of one table into one file. */
export interface TableWriter {
  /** How many more rows may be written before the next place where it may be cut; Infinity: it may be cut after each row. */
  room(): number;
  /** At most so many as there is room for. */
  write(rows: readonly Row[]): Promise<void>;
  /** Writes out what waits for more rows: the file may be cut there. */
  cut(): Promise<void>;
  /** JSON with which another writer goes on, of the file as it is now; null where rows wait for more of them. */
  state(): unknown;
  end(): Promise<void>;
}
