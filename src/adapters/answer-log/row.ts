import { idSchema } from "../../domain/events.ts";
import type { LoggedAnswer } from "../../domain/learner-model/answer-of.ts";
import { AnswerLogError, type AnswerLogProblem } from "./problem.ts";

/** What a file calls its columns. */
export interface ColumnNames {
  readonly learner: string;
  readonly item: string;
  readonly skills: string;
  readonly time: string;
  readonly correct: string;
  readonly split: string;
}

export const defaultColumns: ColumnNames = {
  learner: "user_id",
  item: "item_id",
  skills: "skill_ids",
  time: "timestamp",
  correct: "correct",
  split: "split",
};

/** The others may be missing: no skills, no times, no split. */
const required: readonly (keyof ColumnNames)[] = ["learner", "item", "correct"];

/** Where the columns stand, and what was read before: equal texts are checked once and become one string in memory. */
export interface Columns {
  readonly names: ColumnNames;
  readonly width: number;
  readonly at: Readonly<Record<keyof ColumnNames, number | null>>;
  readonly ids: Map<string, string>;
  readonly skills: Map<string, readonly string[]>;
}

/** Throws {@link AnswerLogError} where a column that is needed, or was named by the caller, is missing or stands twice. */
export function findColumns(header: readonly string[], named: Partial<ColumnNames>, line: number): Columns {
  const names = { ...defaultColumns, ...named };
  const find = (field: keyof ColumnNames): number | null => {
    const at = header.indexOf(names[field]);
    const problem = { line, column: null, value: header.join(",").slice(0, 200) };
    if (at < 0) {
      if (!required.includes(field) && named[field] === undefined) return null;
      throw new AnswerLogError({ ...problem, allowed: `a header with the column "${names[field]}" (${field})` });
    }
    if (header.indexOf(names[field], at + 1) >= 0) {
      throw new AnswerLogError({ ...problem, allowed: `a header with the column "${names[field]}" once` });
    }
    return at;
  };
  const at = {
    learner: find("learner"),
    item: find("item"),
    skills: find("skills"),
    time: find("time"),
    correct: find("correct"),
    split: find("split"),
  };
  return { names, width: header.length, at, ids: new Map(), skills: new Map() };
}

export type Row =
  | { readonly ok: true; readonly answer: LoggedAnswer }
  | { readonly ok: false; readonly problem: AnswerLogProblem };

class Refused extends Error {
  readonly problem: AnswerLogProblem;
  constructor(problem: AnswerLogProblem) {
    super(problem.allowed);
    this.problem = problem;
  }
}

export function toAnswer(record: readonly string[], columns: Columns, line: number): Row {
  const { at, names, width } = columns;
  const refuse = (field: keyof ColumnNames, allowed: string): never => {
    const value = (record[at[field] ?? 0] ?? "").slice(0, 100);
    throw new Refused({ line, column: names[field], value, allowed });
  };
  const text = (field: keyof ColumnNames): string => (record[at[field] ?? record.length] ?? "").trim();
  try {
    if (record.length !== width) {
      throw new Refused({ line, column: null, value: `${record.length} fields`, allowed: `a row of ${width} fields` });
    }
    const time = readTime(text("time")) ?? refuse("time", timeAllowed);
    const split = splits.get(text("split")) ?? refuse("split", "train, test or empty");
    const answer: LoggedAnswer = {
      learnerId: readId(text("learner"), columns) ?? refuse("learner", idAllowed),
      itemId: readId(text("item"), columns) ?? refuse("item", idAllowed),
      skillIds: readSkills(text("skills"), columns) ?? refuse("skills", skillsAllowed),
      correct: corrects.get(text("correct").toLowerCase()) ?? refuse("correct", "0, 1, true or false"),
      at: time.at,
      split: split.is,
    };
    return { ok: true, answer };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, problem: error.problem };
    throw error;
  }
}

const idAllowed = "an id (1 to 200 characters without white space)";
const mostSkills = 50;
const skillsAllowed = `a list of up to ${mostSkills} ids separated by ;`;
const timeAllowed = "empty, ISO 8601, or seconds or milliseconds since 1970";
const corrects = new Map([
  ["1", true],
  ["0", false],
  ["true", true],
  ["false", false],
]);
const splits = new Map<string, { readonly is: LoggedAnswer["split"] }>([
  ["train", { is: "train" }],
  ["test", { is: "test" }],
  ["", { is: null }],
]);

/** Null for what is no id. */
function readId(text: string, { ids }: Columns): string | null {
  const known = ids.get(text);
  if (known !== undefined) return known;
  if (!idSchema.safeParse(text).success) return null;
  ids.set(text, text);
  return text;
}

function readSkills(text: string, columns: Columns): readonly string[] | null {
  const known = columns.skills.get(text);
  if (known !== undefined) return known;
  const parts = text === "" ? [] : text.split(";");
  const ids = parts.map((part) => readId(part.trim(), columns)).filter((id) => id !== null);
  if (ids.length < parts.length || ids.length > mostSkills) return null;
  columns.skills.set(text, ids);
  return ids;
}

/** Numbers below this are seconds (it is the year 5138 in seconds, 1973 in milliseconds). */
const leastMilliseconds = 1e11;
/** ECMAScript's last time. */
const lastTime = 8.64e15;

function readTime(text: string): { at: number | null } | null {
  if (text === "") return { at: null };
  const number = Number(text);
  if (Number.isFinite(number)) {
    const at = number < leastMilliseconds ? number * 1000 : number;
    return number >= 0 && at <= lastTime ? { at } : null;
  }
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : { at };
}
