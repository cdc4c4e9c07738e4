import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import { type Costs, costsSchema } from "../../../domain/capacity/costs.ts";
import { type Prices, pricesSchema } from "../../../domain/capacity/prices.ts";
import { type Rules, type Workload, workloadFileSchema } from "../../../domain/capacity/workload.ts";
import { CommandFailure, usageFailure } from "../io.ts";

/** The files that a plan is made from: ours, or those that the command names. */

const measured = "load-tests/results/costs.json";

export async function costsFrom(file: string | undefined): Promise<Costs> {
  if (file !== undefined) return parsedFile("--costs", file, costsSchema);
  // Four folders up from the sources, five from the build in dist/, which has a copy.
  for (const up of ["../../../../", "../../../../../"]) {
    const path = fileURLToPath(new URL(up + measured, import.meta.url));
    const text = await readFile(path, "utf8").catch(() => null);
    if (text !== null) return parsed("--costs", measured, text, costsSchema);
  }
  throw new CommandFailure(
    `${measured} is not here: give a file with --costs, or measure with node load-tests/measure-costs.ts --save`,
  );
}

export const pricesFrom = async (file: string | undefined): Promise<Prices> =>
  file === undefined ? pricesSchema.parse(JSON.parse(defaultPrices())) : parsedFile("--prices", file, pricesSchema);

export async function workloadFrom(
  file: string | undefined,
): Promise<{ readonly workload: Workload; readonly rules: Rules }> {
  return file === undefined ? workloadFileSchema.parse({}) : parsedFile("--workload", file, workloadFileSchema);
}

export const defaultPrices = (): string => readFileSync(new URL("./prices.json", import.meta.url), "utf8");

async function parsedFile<T>(option: string, file: string, schema: z.ZodType<T>): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new CommandFailure(`${option} ${file}: ${(error as Error).message}`);
  }
  return parsed(option, file, text, schema);
}

function parsed<T>(option: string, file: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usageFailure(`${option} ${file}: it is not JSON: ${(error as Error).message}`);
  }
  const result = schema.safeParse(value);
  if (!result.success) throw usageFailure(`${option} ${file}: ${firstProblem(result.error)}`);
  return result.data;
}

export function firstProblem(error: z.ZodError): string {
  const [issue] = error.issues;
  const where = issue?.path.join(".") ?? "";
  return `${where === "" ? "" : `${where}: `}${issue?.message ?? "not understood"}`;
}

export async function writeReport(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new CommandFailure(`${file}: ${(error as Error).message}`);
  }
}
