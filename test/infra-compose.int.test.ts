import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../src/app/config.ts";
import { roles } from "../src/app/settings.ts";
import { orSkip } from "./support/engines.ts";
import { findProgram } from "./support/servers.ts";

const root = join(import.meta.dirname, "..");
const folder = join(root, "infra/compose");
const program =
  findProgram("docker-compose") ?? orSkip({ skip: "Docker Compose is not installed (no docker-compose in PATH)" });

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}

/** As Compose understands the file, with its anchors and defaults put in. */
function servicesOf(file: string, profile: string): Map<string, Service> {
  const { PATH = "" } = process.env;
  const config = (...more: string[]): string =>
    execFileSync(program ?? "", ["-f", join(folder, file), "--profile", profile, "config", ...more], {
      ...{ encoding: "utf8", env: { PATH } },
      stdio: ["pipe", "pipe", "ignore"],
    });
  const all = Object.entries(JSON.parse(asJson(config)).services) as [string, Service][];
  return new Map(all.filter(([, service]) => service.profiles?.includes(profile) ?? true));
}

/** Compose 2 prints JSON; Compose 1 does not, and is a program of Python, which then reads YAML as well. */
function asJson(config: (...more: string[]) => string): string {
  const json = config("--format", "json");
  if (json.startsWith("{")) return json;
  const script = "import json,sys,yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
  return execFileSync("python3", ["-c", script], { input: config(), encoding: "utf8" });
}

describe.skipIf(program === null)("infra/compose", () => {
  test.each([
    ["docker-compose.yml", "embedded"],
    ["docker-compose.yml", "single"],
    ["docker-compose.yml", "cluster"],
    ["eventstoredb.yml", "default"],
  ])("%s is valid with the profile %s", (file, profile) => {
    const args = ["-f", join(folder, file), "--profile", profile, "config", "-q"];
    const { status, stderr } = spawnSync(program ?? "", args, { encoding: "utf8" });
    expect(status, stderr).toBe(0);
  });

  test.each(["embedded", "single", "cluster"])(
    "every process of the profile %s has settings that go together",
    (profile) => {
      const services = [...servicesOf("docker-compose.yml", profile)].filter(([, { build }]) => build !== undefined);
      const started = services.map(([name, { image, build, command = [], environment = {} }]) => {
        expect(image).toBe("proximal");
        expect(existsSync(join(build?.context ?? "", build?.dockerfile ?? "")), name).toBe(true);
        const role = command[command.indexOf("--role") + 1] ?? "all";
        const { config, warnings } = loadConfig(environment, { PROXIMAL_ROLE: profile === "embedded" ? "all" : role });
        expect(warnings).toEqual([]);
        return config.role;
      });
      const expected = profile === "embedded" ? ["all"] : roles.filter((role) => role !== "all");
      expect([...new Set(started)].sort()).toEqual([...expected].sort());
    },
  );

  test("files that it mounts are there", () => {
    const mounted = [...readFileSync(join(folder, "docker-compose.yml"), "utf8").matchAll(/^ +- (\.{1,2}\/[^:]+):/gm)];
    expect(mounted.length).toBeGreaterThan(5);
    for (const [, path = ""] of mounted) expect(existsSync(join(folder, path)), path).toBe(true);
  });
});
