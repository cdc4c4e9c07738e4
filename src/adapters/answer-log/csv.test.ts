import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { LoggedAnswer } from "../../domain/learner-model/answer-of.ts";
import { type CsvAnswersOptions, readCsvAnswers } from "./csv.ts";
import { AnswerLogError, type AnswerLogProblem } from "./problem.ts";

async function read(text: string, options?: CsvAnswersOptions): Promise<LoggedAnswer[]> {
  const answers: LoggedAnswer[] = [];
  for await (const answer of readCsvAnswers(Readable.from([Buffer.from(text)]), options)) answers.push(answer);
  return answers;
}

const header = "seq,split,user_id,item_id,skill_ids,timestamp,correct";

async function refusalOf(text: string, options?: CsvAnswersOptions): Promise<string> {
  const refused = await read(text, options).then(
    () => null,
    (error: unknown) => error,
  );
  if (!(refused instanceof AnswerLogError)) throw new Error(`not refused: ${String(refused)}`);
  return refused.message;
}

describe("a CSV file of answers", () => {
  test("is read row by row, in order", async () => {
    const answers = await read(`${header}\n0,test,8,7,6,0,0\n1,train,ana,i-2,a;b,1700000000,1\n`);
    expect(answers).toEqual([
      { learnerId: "8", itemId: "7", skillIds: ["6"], correct: false, at: 0, split: "test" },
      { learnerId: "ana", itemId: "i-2", skillIds: ["a", "b"], correct: true, at: 1_700_000_000_000, split: "train" },
    ]);
  });

  test("may have other names for its columns, another delimiter, a BOM, Windows lines, and lack what is not needed", async () => {
    const text = "\uFEFFwho;what;right\r\nana;i1;TRUE\r\n\r\nbo;i1;false\r\n";
    const answers = await read(text, { delimiter: ";", columns: { learner: "who", item: "what", correct: "right" } });
    expect(answers).toEqual([
      { learnerId: "ana", itemId: "i1", skillIds: [], correct: true, at: null, split: null },
      { learnerId: "bo", itemId: "i1", skillIds: [], correct: false, at: null, split: null },
    ]);
  });

  test("may give times in seconds, milliseconds or ISO 8601, or none", async () => {
    const times = ["1700000000", "1700000000123", "2023-11-14T22:13:20Z", ""];
    const answers = await read(`${header}\n${times.map((time) => `0,,u,i,s,${time},1`).join("\n")}`);
    expect(answers.map(({ at }) => at)).toEqual([1_700_000_000_000, 1_700_000_000_123, 1_700_000_000_000, null]);
  });

  test.each([
    ["0,test,8,7,6,0,2", 'line 2, column correct: "2" is not 0, 1, true or false'],
    ["0,dev,8,7,6,0,1", 'line 2, column split: "dev" is not train, test or empty'],
    ["0,test,,7,6,0,1", "line 2, column user_id: expected an id"],
    ["0,test,8,a b,6,0,1", 'line 2, column item_id: "a b" is not an id'],
    ["0,test,8,7,6;;7,0,1", 'line 2, column skill_ids: "6;;7" is not a list of up to 50 ids'],
    ["0,test,8,7,6,yesterday,1", 'line 2, column timestamp: "yesterday" is not empty, ISO 8601'],
    ["0,test,8,7,6,-5,1", 'line 2, column timestamp: "-5" is not empty'],
    ["0,test,8,7,6,0", 'line 2: "6 fields" is not a row of 7 fields'],
    ['0,test,"8,7,6,0,1', "well-formed CSV"],
  ])("refuses the row %s by line, column and what is allowed", async (row, message) => {
    expect(await refusalOf(`${header}\n${row}\n`)).toContain(message);
  });

  test("leaves refused rows out when asked to, and tells of each", async () => {
    const problems: AnswerLogProblem[] = [];
    const rows = ["0,test,8,7,6,0,1", "1,test,8,7,6,0,x", "short", "3,test,9,7,6,0,0"];
    const answers = await read(`${header}\n${rows.join("\n")}\n`, { onProblem: (problem) => problems.push(problem) });
    expect(answers.map(({ learnerId }) => learnerId)).toEqual(["8", "9"]);
    expect(problems).toEqual([
      { line: 3, column: "correct", value: "x", allowed: "0, 1, true or false" },
      { line: 4, column: null, value: "1 fields", allowed: "a row of 7 fields" },
    ]);
  });

  test("refuses a header without the columns that are needed, or with one of them twice", async () => {
    expect(await refusalOf("user_id,item_id\n1,2\n")).toContain('a header with the column "correct"');
    expect(await refusalOf(`${header}\n`, { columns: { time: "when" } })).toContain('the column "when" (time)');
    expect(await refusalOf("user_id,item_id,correct,item_id\n")).toContain('the column "item_id" once');
    expect(await refusalOf("")).toContain("a first line that names the columns");
  });

  test("a file that is not there is Node's own error", async () => {
    await expect(readCsvAnswers("/no/such/file.csv").next()).rejects.toThrow("ENOENT");
  });

  test("may be left before its end", async () => {
    const source = Readable.from(
      (function* () {
        yield `${header}\n`;
        for (let n = 0; ; n++) yield `${n},test,u,i,s,0,1\n`;
      })(),
    );
    let seen = 0;
    for await (const _ of readCsvAnswers(source)) if (++seen === 1000) break;
    expect(seen).toBe(1000);
    expect(source.destroyed).toBe(true);
  });
});
