import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { kubeconform, kubernetesPython } from "../../load-tests/tools/install.ts";
import { orSkip } from "./engines.ts";

/** infra/k8s as kubectl builds it, and checked by kubeconform: only what a cluster would be given is looked at. */

export const k8sFolder = join(import.meta.dirname, "../../infra/k8s");

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources?: { readonly requests?: Quantities; readonly limits?: Quantities };
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

type Quantities = Readonly<Record<string, string>>;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string | number };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string; optional?: boolean } };
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly terminationGracePeriodSeconds?: number;
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly topologySpreadConstraints?: readonly Readonly<Record<string, unknown>>[];
  readonly affinity?: Readonly<Record<string, unknown>>;
}

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Quantities };
  // biome-ignore lint/suspicious/noExplicitAny: of any shape; kubeconform has held it against its schema
  readonly spec?: any;
  readonly data?: Quantities;
}

interface Tools {
  readonly kubectl: string;
  readonly hadolint: string;
  readonly kubeconform: string;
}

/** null, with the reason printed, where they are not installed and cannot be. */
export async function manifestTools(): Promise<Tools | null> {
  const found = await Promise.all([kubernetesPython(), kubeconform()]);
  for (const one of found) if ("missing" in one) return orSkip({ skip: one.missing });
  const [python, conform] = found.map((one) => ("program" in one ? one.program : ""));
  const bin = dirname(python ?? "");
  return { kubectl: join(bin, "kubectl"), hadolint: join(bin, "hadolint"), kubeconform: conform ?? "" };
}

/** The manifests as YAML. Throws with what kubectl says where it cannot build them. */
export function build({ kubectl }: Tools, folder: string): string {
  const { status, stdout, stderr } = spawnSync(kubectl, ["kustomize", folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(`kubectl kustomize ${folder}: ${stderr}`);
  return stdout;
}

export const manifestsOf = (yaml: string): Manifest[] =>
  parseAllDocuments(yaml).map((document) => document.toJS() as Manifest);

/** What kubeconform says of them against the schemas of infra/k8s/schemas: one line for each that is wrong. */
export function refusals(tools: Tools, yaml: string): string[] {
  const schemas = join(k8sFolder, "schemas", "{{.ResourceKind}}{{.KindSuffix}}.json");
  if (!existsSync(dirname(schemas))) throw new Error(`no ${dirname(schemas)}`);
  const args = ["-strict", "-output", "json", "-summary", "-schema-location", schemas];
  const { stdout } = spawnSync(tools.kubeconform, args, { input: yaml, encoding: "utf8" });
  const { resources, summary } = JSON.parse(stdout);
  if (summary.valid + (resources?.length ?? 0) === 0) throw new Error("kubeconform looked at nothing");
  return (resources ?? []).map(({ kind, name, msg }: Record<string, string>) => `${kind} ${name}: ${msg}`);
}

const units: Readonly<Record<string, number>> = { m: 1e-3, "": 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 };

/** 250m -> 0.25, 512Mi -> 536870912. */
export function quantity(text: string): number {
  const [, number = "", unit = ""] = /^([\d.]+)(\w*)$/.exec(text) ?? [];
  return Number(number) * (units[unit] ?? Number.NaN);
}
