import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { newPlace, root, run, serve } from "./e2e/proximal.ts";
import { orSkip } from "./support/engines.ts";
import { manifestTools } from "./support/manifests.ts";

const file = join(root, "infra/compose/Dockerfile");
const dockerfile = readFileSync(file, "utf8").replaceAll("\\\n", " ");
const tools = await manifestTools();
const built =
  existsSync(join(root, "dist/src/app/cli/main.js")) || orSkip({ skip: "there is no dist: npm run build makes it" });

/** Instructions of the last stage, the image itself. */
const lastStage = dockerfile.slice(dockerfile.lastIndexOf("\nFROM ")).trim().split("\n");
const argumentsOf = (instruction: string): string[] =>
  lastStage.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));

describe("infra/compose/Dockerfile", () => {
  test.skipIf(tools === null)("hadolint has nothing to say of it, and does of a worse one", () => {
    const lint = (input: string) => spawnSync(tools?.hadolint ?? "", ["-"], { input, encoding: "utf8" }).stdout;
    const text = readFileSync(file, "utf8");
    expect(lint(text)).toBe("");
    expect(lint(text.replaceAll(/^# hadolint.*$/gm, "").replaceAll(/\$\{NODE\}/g, "latest"))).toContain("DL3007");
  });

  test("has the Node of package.json, ends as nobody in particular, and says whether it is well", () => {
    const { devDependencies, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(dockerfile).toContain(`ARG NODE=${devDependencies.node}-`);
    expect(dockerfile).toContain(`-t proximal:${version} .`);
    expect(argumentsOf("USER")).toEqual(["1000:1000"]);
    expect(argumentsOf("HEALTHCHECK")[0]).toContain("/readyz?exclude=projections,engines");
    expect(argumentsOf("ENTRYPOINT")).toEqual(['["node", "bin/proximal.js"]']);
  });

  test("nothing but sources gets into the build: no secret, no data, no test", () => {
    const lines = readFileSync(join(root, ".dockerignore"), "utf8").split("\n");
    const rules = lines.filter((line) => line !== "" && !line.startsWith("#"));
    expect(rules[0]).toBe("**");
    for (const rule of rules) {
      if (rule.startsWith("!"))
        expect(rule).toMatch(/^!(package|tsconfig|bin|src|console|infra\/postgres|load-tests\/results\/costs)/);
    }
    expect(rules).toContain("**/*.test.ts");
  });

  test.skipIf(built === null)(
    "what its last stage holds is all that the program needs",
    { timeout: 180_000 },
    async () => {
      const image = mkdtempSync(join(tmpdir(), "proximal-image-"));
      onTestFinished(() => rmSync(image, { recursive: true, force: true }));
      for (const copied of argumentsOf("COPY")) {
        const [, from = "", to = ""] = /^(?:--from=\w+ )?(\S+) (\S+)$/.exec(copied) ?? [];
        const source = join(root, from.replace(/^\/app\//, ""));
        const target = join(image, to.endsWith("/") ? from : to);
        if (from.endsWith("node_modules")) symlinkSync(source, target);
        else cpSync(source, target, { recursive: true });
      }
      const place = { ...newPlace(), installed: image };
      expect((await run(place, ["--version"])).stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
      expect((await run(place, ["migrate"])).stderr).toContain("Set DATABASE_URL");
      const server = await serve(place);
      const posted = await server.post("/v1/interactions", {
        ...{ id: "a-1", learnerId: "ada", itemId: "sum", kind: "answer", correct: true },
      });
      expect(posted.body.accepted).toBe(1);
      const page = await fetch(`${server.url}/console/`);
      expect([page.status, page.headers.get("content-type")]).toEqual([200, expect.stringContaining("text/html")]);
      // As the image asks itself.
      const [, script = ""] = /CMD \["node", "-e", "(.*)"\]$/.exec(argumentsOf("HEALTHCHECK")[0] ?? "") ?? [];
      const { PORT, ...env } = { ...process.env, PORT: new URL(server.url).port };
      execFileSync(process.execPath, ["-e", script], { env: { ...env, PORT } });
      expect(await server.end("SIGTERM")).toBe(0);
      expect(spawnSync(process.execPath, ["-e", script], { env: { ...env, PORT } }).status).toBe(1);
    },
  );
});
