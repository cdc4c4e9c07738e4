import type { Check } from "../checks/check.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { exitCodes, printResult } from "./io.ts";
import { examples } from "./options.ts";

export const addDoctor: AddCommand = (program, context) => {
  program
    .command("doctor")
    .description("check Node, settings, data folder, engines and port; say what to do about what is wrong")
    .option("--json", "print JSON")
    .addHelpText("after", examples("proximal doctor", "DATABASE_URL=postgres://localhost/proximal proximal doctor"))
    .action((options: { json?: boolean }) => doctor(context, options.json === true));
};

async function doctor({ io, exit }: CommandContext, json: boolean): Promise<void> {
  const { allChecks } = await import("../checks/checks.ts");
  const checks = await allChecks(io.environment);
  const failed = checks.filter(({ result }) => result === "fail").length;
  const warned = checks.filter(({ result }) => result === "warn").length;
  printResult(io, json, { ok: failed === 0, checks }, () => [
    ...checks.flatMap(linesOf),
    "",
    failed > 0
      ? `${failed} of ${checks.length} checks failed`
      : `ready to start${warned > 0 ? `, ${warned} warnings` : ""}`,
  ]);
  if (failed > 0) exit(exitCodes.failure);
}

function linesOf({ what, result, found, advice }: Check): string[] {
  const line = `${result.padEnd(5)} ${what.padEnd(12)} ${found}`;
  return advice === "" ? [line] : [line, `${" ".repeat(18)} -> ${advice}`];
}
