import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import type { LoggedAnswer } from "../../domain/learner-model/answer-of.ts";
import { AnswerLogError, type AnswerLogProblem } from "./problem.ts";
import { type ColumnNames, type Columns, findColumns, toAnswer } from "./row.ts";

export interface CsvAnswersOptions {
  /** Names of columns in the file's first line, where they are not those of {@link defaultColumns}. */
  readonly columns?: Partial<ColumnNames>;
  /** Default ",". */
  readonly delimiter?: string;
  /** Called for each refused row, which is then left out. Without it the first one throws {@link AnswerLogError}. */
  readonly onProblem?: (problem: AnswerLogProblem) => void;
}

interface ParsedRow {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Answers of a CSV file (a path, or a stream of its bytes), one for each row, in the order of the file, read as they
 * are asked for. The first line names the columns. Throws {@link AnswerLogError} on a file whose header or quoting is
 * wrong, and Node's own error on one that cannot be opened.
 */
export async function* readCsvAnswers(
  source: string | Readable,
  options: CsvAnswersOptions = {},
): AsyncGenerator<LoggedAnswer, void, void> {
  const input = typeof source === "string" ? createReadStream(source) : source;
  const parser = parse({
    bom: true,
    delimiter: options.delimiter ?? ",",
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  input.on("error", (error: Error) => parser.destroy(error));
  input.pipe(parser);
  try {
    yield* answersOf(parser as AsyncIterable<ParsedRow>, options);
  } catch (error) {
    throw error instanceof CsvError ? new AnswerLogError(quotingProblem(error)) : error;
  } finally {
    input.destroy();
    parser.destroy();
  }
}

async function* answersOf(
  rows: AsyncIterable<ParsedRow>,
  { columns: names, onProblem }: CsvAnswersOptions,
): AsyncGenerator<LoggedAnswer, void, void> {
  let columns: Columns | null = null;
  for await (const { record, info } of rows) {
    if (columns === null) {
      columns = findColumns(record, names ?? {}, info.lines);
      continue;
    }
    const row = toAnswer(record, columns, info.lines);
    if (row.ok) yield row.answer;
    else if (onProblem === undefined) throw new AnswerLogError(row.problem);
    else onProblem(row.problem);
  }
  if (columns === null) {
    throw new AnswerLogError({ line: 1, column: null, value: "", allowed: "a first line that names the columns" });
  }
}

function quotingProblem(error: CsvError): AnswerLogProblem {
  const line = typeof error.lines === "number" ? error.lines : 1;
  return { line, column: null, value: "", allowed: `well-formed CSV (${error.message})` };
}
