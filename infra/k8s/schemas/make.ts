/**
 * Makes the JSON schemas beside this file: `node infra/k8s/schemas/make.ts`, with Go and Python in PATH. Those of Kubernetes
 * itself are from the Python package kubernetes-validate, those of KEDA, the vertical autoscaler, the Prometheus operator and
 * the Gateway API from the definitions within their Go modules. They are kept in the repository so that checking manifests
 * needs no network. Descriptions are left out, and a field that is not known is refused. Names are those that
 * kubeconform looks for.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: unknown } }[];
  };
}

const kubernetes = { package: "kubernetes-validate==1.37.0", schemas: "v1.37.0-local-strict" };
/** Kinds that our manifests use, by the names of their files. */
const kinds: readonly string[] = [
  ...["configmap-v1", "namespace-v1", "persistentvolumeclaim-v1", "service-v1", "serviceaccount-v1"],
  ...["deployment-apps-v1", "job-batch-v1", "horizontalpodautoscaler-autoscaling-v2", "poddisruptionbudget-policy-v1"],
  ...["ingress-networking-v1", "networkpolicy-networking-v1"],
];

/** Module and version -> files of it, each with the kinds that our manifests use. */
const sources: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "github.com/kedacore/keda/v2@v2.21.0": {
    "config/crd/bases/keda.sh_scaledobjects.yaml": "v1alpha1",
    "config/crd/bases/keda.sh_triggerauthentications.yaml": "v1alpha1",
  },
  "k8s.io/autoscaler/vertical-pod-autoscaler@v1.8.1": { "deploy/vpa-v1-crd-gen.yaml": "v1" },
  "github.com/prometheus-operator/prometheus-operator@v0.85.0": {
    "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml": "v1",
    "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml": "v1",
  },
  "sigs.k8s.io/gateway-api@v1.4.0": { "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml": "v1" },
};

function folderOf(module: string): string {
  const told = execFileSync("go", ["mod", "download", "-json", module], { encoding: "utf8", cwd: tmpdir() });
  return JSON.parse(told).Dir;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** From OpenAPI 3.0, as Kubernetes extends it, to JSON Schema. */
function jsonSchemaOf(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const { properties, items, additionalProperties, nullable, ...rest } = schema;
  const kept = Object.entries(rest).filter(([key]) => !["description", "example", "default"].includes(key));
  const made: Record<string, unknown> = Object.fromEntries(kept.filter(([key]) => !key.startsWith("x-kubernetes-")));
  for (const key of ["anyOf", "allOf", "oneOf"]) {
    const all = made[key];
    if (Array.isArray(all)) made[key] = all.map(jsonSchemaOf);
  }
  if (schema["x-kubernetes-int-or-string"] === true) return { type: ["integer", "string"] };
  if (isObject(properties)) {
    made.properties = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, jsonSchemaOf(one)]));
    made.additionalProperties = schema["x-kubernetes-preserve-unknown-fields"] === true;
  }
  if (items !== undefined) made.items = jsonSchemaOf(items);
  if (additionalProperties !== undefined) made.additionalProperties = jsonSchemaOf(additionalProperties);
  if (nullable === true && typeof made.type === "string") made.type = [made.type, "null"];
  return made;
}

/** What every object has, and its own part leaves open. */
function withMetadata(schema: unknown): unknown {
  const made = jsonSchemaOf(schema);
  if (!isObject(made) || !isObject(made.properties)) throw new Error("a definition without properties");
  return { ...made, properties: { ...made.properties, metadata: { type: "object" } } };
}

function save(name: string, schema: unknown, from: string): void {
  writeFileSync(join(import.meta.dirname, name), `${JSON.stringify(schema)}\n`);
  console.log(`${name} of ${from}`);
}

/** Without what is for people, and without the name by which a reader would look for it on the network. */
const withoutWords = (schema: unknown): unknown =>
  JSON.parse(JSON.stringify(schema), function (this: unknown, key: string, value: unknown) {
    // A field may have such a name too: then it is a schema, and not a text.
    const words = ["description", "$id", "x-kubernetes-group-version-kind"].includes(key);
    return words && (typeof value === "string" || Array.isArray(value)) ? undefined : value;
  });

const referred = (schema: unknown): string[] =>
  [...JSON.stringify(schema).matchAll(/#\/\$defs\/([\w.]+)/g)].map(([, name = ""]) => name);

/** One file for each kind, with the definitions that it needs. */
function saveKubernetes(folder: string): void {
  const read = (name: string) =>
    JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8").replaceAll("/api/_definitions.json", ""));
  const { $defs: all } = withoutWords(read("_definitions")) as { $defs: Readonly<Record<string, unknown>> };
  for (const kind of kinds) {
    const schema = withoutWords(read(kind)) as Readonly<Record<string, unknown>>;
    const needed = new Map<string, unknown>();
    for (let todo = referred(schema); todo.length > 0; todo = todo.slice(1)) {
      const [name = ""] = todo;
      if (needed.has(name)) continue;
      needed.set(name, all[name]);
      todo.push(...referred(all[name]));
    }
    save(`${kind}.json`, { ...schema, $defs: Object.fromEntries(needed) }, kubernetes.package);
  }
}

/** The folder of schemas of a Python package that is installed for the moment. */
function withPackage(work: (folder: string) => void): void {
  const environment = mkdtempSync(join(tmpdir(), "proximal-schemas-"));
  try {
    execFileSync("python3", ["-m", "venv", environment]);
    const python = join(environment, "bin/python");
    execFileSync(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", kubernetes.package]);
    const where = "import kubernetes_validate, os; print(os.path.dirname(kubernetes_validate.__file__))";
    const installed = execFileSync(python, ["-c", where], { encoding: "utf8" }).trim();
    work(join(installed, "kubernetes-json-schema", kubernetes.schemas));
  } finally {
    rmSync(environment, { recursive: true, force: true });
  }
}

withPackage(saveKubernetes);
for (const [module, files] of Object.entries(sources)) {
  const folder = folderOf(module);
  for (const [file, version] of Object.entries(files)) {
    const documents = readFileSync(join(folder, file), "utf8").split(/^---$/m);
    for (const { spec } of documents.map((text) => parse(text) as Definition | null).filter((one) => one !== null)) {
      const found = spec.versions.find(({ name }) => name === version);
      if (found === undefined || spec.names.kind.endsWith("Checkpoint")) continue;
      const name = `${spec.names.kind}-${spec.group.split(".")[0]}-${version}.json`.toLowerCase();
      save(name, withMetadata(found.schema.openAPIV3Schema), module);
    }
  }
}
