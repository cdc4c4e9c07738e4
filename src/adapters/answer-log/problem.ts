/** Why a row of a file was refused. */
export interface AnswerLogProblem {
  /** 1 for the first line of the file; the last one of a row that spans several. */
  readonly line: number;
  /** Name of the column; null where it is the row as a whole. */
  readonly column: string | null;
  /** What stands there, cut to a readable length. */
  readonly value: string;
  /** What may stand there. */
  readonly allowed: string;
}

export function problemText({ line, column, value, allowed }: AnswerLogProblem): string {
  const where = column === null ? `line ${line}` : `line ${line}, column ${column}`;
  return value === "" ? `${where}: expected ${allowed}` : `${where}: "${value}" is not ${allowed}`;
}

export class AnswerLogError extends Error {
  override readonly name = "AnswerLogError";
  readonly problem: AnswerLogProblem;
  constructor(problem: AnswerLogProblem) {
    super(problemText(problem));
    this.problem = problem;
  }
}
