import { writeFile } from "node:fs/promises";
import { comparePage } from "../report/compare-page.ts";
import { compareText } from "../report/compare-text.ts";
import { reportPage } from "../report/page.ts";
import { writeTables } from "../report/tables.ts";
import { verdictText } from "../report/text.ts";
import { k6, locustPython } from "../tools/install.ts";
import { type Arguments, readArguments, usage } from "./arguments.ts";
import { readResult } from "./result.ts";
import { run } from "./run.ts";

/** The one program behind run.sh and run.ps1. */

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const thresholdMissed = 99;

async function main(wanted: Arguments): Promise<number> {
  switch (wanted.command) {
    case "help":
      print(usage);
      return 0;
    case "tools": {
      const found = await Promise.all([k6(), locustPython()]);
      for (const one of found) print("program" in one ? one.program : one.missing);
      return found.every((one) => "program" in one) ? 0 : 1;
    }
    case "table":
      print(await writeTables());
      return 0;
    case "report": {
      const file = wanted.html ?? wanted.result.replace(/(\.json)?$/, ".html");
      await writeFile(file, reportPage(await readResult(wanted.result)));
      print(file);
      return 0;
    }
    case "compare": {
      const [a, b] = await Promise.all([readResult(wanted.a), readResult(wanted.b)]);
      print(compareText(a, b));
      if (wanted.html !== null) await writeFile(wanted.html, comparePage(a, b));
      return 0;
    }
    case "run": {
      const stopping = new AbortController();
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.on(name, () => {
          if (!stopping.signal.aborted) tell("stopping: what was started is being ended");
          stopping.abort(new Error("stopped"));
        });
      }
      const { result, file } = await run(wanted, tell, stopping.signal);
      print(verdictText(result));
      print(`result: ${file}`);
      return result.verdicts.every(({ met }) => met) ? 0 : thresholdMissed;
    }
  }
}

try {
  process.exitCode = await main(readArguments(process.argv.slice(2)));
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
