import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isStill } from "../infra/local/processes.ts";
import { missingFor } from "../infra/local/stack.ts";
import type { State } from "../infra/local/state.ts";
import { orSkip } from "../test/support/engines.ts";
import { temporaryFolder } from "../test/support/folders.ts";
import { abilityOf } from "./k6/latent.ts";
import { type Result, readResult } from "./runner/result.ts";
import { startTarget, type Target } from "./runner/target.ts";
import { k6, locustPython } from "./tools/install.ts";

/** Each tool once, shortly, as users start it: that it puts its load on, looks at answers, and says what it found. */
const script = fileURLToPath(new URL("./run.sh", import.meta.url));

async function missing(): Promise<string[]> {
  const tools = await Promise.all([k6({ install: false }), locustPython({ install: false })]);
  return [...(await missingFor("small")), ...tools.flatMap((tool) => ("missing" in tool ? [tool.missing] : []))];
}

const lacking = await missing();
const skipped =
  lacking.length > 0 && orSkip({ skip: `the load tests' tools are not here: ${lacking.join("; ")}` }) === null;

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(script, args, { env: { ...process.env, ...env } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output, ended: once(child, "close").then(([code]) => code as number) };
}

describe.skipIf(skipped)("load tests, against one stack", () => {
  let target: Target;
  const folder = temporaryFolder();
  beforeAll(async () => {
    target = await startTarget("small", () => {}, AbortSignal.timeout(120_000));
  });
  afterAll(() => target?.stop());

  async function run(name: string, ...args: string[]): Promise<Result> {
    const html = join(folder, `${name}.html`);
    const place = ["--url", target.commandUrl, "--key", target.key, "--html", html];
    const { ended, output } = start([name, "--quick", "--past", "3", ...args, ...place]);
    const code = await ended;
    const [, file = ""] = /^result: (.+)$/m.exec(output()) ?? [];
    // A busy machine may miss a limit of time.
    expect([0, 99], output()).toContain(code);
    const result = await readResult(file);
    rmSync(file);
    expect(code).toBe(result.verdicts.every(({ met }) => met) ? 0 : 99);
    expect(readFileSync(html, "utf8")).toContain("Latency of next");
    expect(result.command).not.toContain(target.key);
    return result;
  }

  const met = ({ verdicts }: Result, name: string) => verdicts.find((verdict) => verdict.name === name)?.met;
  /** A machine that is busy with other tests may be too slow: then the system refuses some, and says so. */
  const expectOnlyRefusals = ({ totals }: Result) => expect(totals.failed).toBeLessThanOrEqual(totals.shed);
  const looked = ({ checks }: Result, name: string) => checks.find((check) => check.name === name)?.passes ?? 0;

  test("k6: mixed load, connections held beside it, and answers that hold", async () => {
    const result = await run("mixed", "--users", "60", "--connections", "40");
    expect(met(result, "content of answers"), JSON.stringify(result.checks)).toBe(true);
    expectOnlyRefusals(result);
    expect(met(result, "keep-alive connections")).toBe(true);
    for (const name of [
      "no retired item",
      "a fresh list includes the answer",
      "every interaction of a batch is accepted",
    ]) {
      expect(looked(result, name), name).toBeGreaterThan(0);
    }
    expect(result.totals.accepted).toBeGreaterThan(0);
    expect(result.requests.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["next", "next_after", "answer", "batch"]),
    );
    expect(result.series.length).toBeGreaterThan(2);
    expect(Object.keys(result.samples.at(-1)?.roles ?? {})).toEqual(["all"]);
  });

  test("Locust: every persona has a session, and answers hold", async () => {
    const result = await run("personas", "--users", "60");
    expect(met(result, "content of answers"), JSON.stringify(result.checks)).toBe(true);
    expectOnlyRefusals(result);
    const indexes = Array.from({ length: 500 }, (_, index) => index);
    expect(abilitiesInPython(indexes)).toEqual(indexes.map(abilityOf));
    const { sessions } = result.raw as { sessions: object };
    expect(Object.keys(sessions).sort()).toEqual([
      "Analyst",
      "Author",
      "CasualUser",
      "Operator",
      "PowerUser",
      "RegularLearner",
    ]);
    expect(looked(result, "a fresh list does not ask again what was just answered")).toBeGreaterThan(0);
  });

  test("Ctrl-C ends the load, the connections, and the stack that was started for it", async () => {
    const place = temporaryFolder();
    // PostgreSQL may run as another user.
    chmodSync(place, 0o711);
    const quick = ["--users", "20", "--past", "1", "--warm-up", "0", "--connections", "5"];
    const { child, output, ended } = start(["soak", "--seconds", "600", ...quick], { TMPDIR: place });
    while (!output().includes("soak: 20 users")) {
      if (child.exitCode !== null) throw new Error(output());
      await sleep(50);
    }
    const started = readdirSync(place, { recursive: true, encoding: "utf8" }).find((path) =>
      path.endsWith("state.json"),
    );
    const { pieces } = JSON.parse(readFileSync(join(place, started ?? ""), "utf8")) as State;
    expect(pieces.map(({ name }) => name)).toEqual(["postgres", "redis", "all"]);
    while (commandsWith(place).filter((command) => command.includes("k6")).length === 0) await sleep(50);
    child.kill("SIGINT");
    expect(await ended, output()).toBe(1);
    expect(output()).toMatch(/stopping the stack\nstopped\n$/);
    expect(pieces.filter(isStill)).toEqual([]);
    expect(commandsWith(place)).toEqual([]);
    expect(readdirSync(place)).toEqual([]);
  });
});

/** Learners are the same persons for k6 and for Locust. */
function abilitiesInPython(indexes: readonly number[]): number[] {
  const asked = `import json, learners; print(json.dumps([learners.ability_of(n) for n in ${JSON.stringify(indexes)}]))`;
  return JSON.parse(execFileSync("python3", ["-c", asked], { cwd: join(script, "../locust"), encoding: "utf8" }));
}

/** Command lines of all processes that name the folder. */
function commandsWith(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
      } catch {
        return [];
      }
    })
    .filter((command) => command.includes(folder));
}
