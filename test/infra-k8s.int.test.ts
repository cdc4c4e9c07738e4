import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../src/app/config.ts";
import { roles } from "../src/app/settings.ts";
import { costsSchema } from "../src/domain/capacity/costs.ts";
import { planCapacity } from "../src/domain/capacity/plan.ts";
import { rulesSchema, workloadSchema } from "../src/domain/capacity/workload.ts";
import {
  build,
  type Container,
  k8sFolder,
  type Manifest,
  manifestsOf,
  manifestTools,
  type PodSpec,
  quantity,
  refusals,
} from "./support/manifests.ts";

const root = join(import.meta.dirname, "..");
const tools = await manifestTools();
/** The learners and zones that each overlay says it is for. */
const overlays = {
  small: { learners: 10_000, zones: 1 },
  medium: { learners: 1_000_000, zones: 2 },
  "multi-zone": { learners: 10_000_000, zones: 3 },
} as const;
const built = new Map(
  Object.keys(overlays).map((name) => [name, tools === null ? "" : build(tools, join(k8sFolder, "overlays", name))]),
);
const each = Object.entries(overlays).map(([name, workload]) => ({
  ...{ name, workload, yaml: built.get(name) ?? "" },
  all: tools === null ? [] : manifestsOf(built.get(name) ?? ""),
}));

interface Trigger {
  readonly metadata: Readonly<Record<string, string>>;
}
interface Metric {
  readonly pods?: { readonly metric: { readonly name: string } };
}

const ofKind = (all: readonly Manifest[], kind: string) => all.filter((one) => one.kind === kind);
const podOf = ({ spec }: Manifest): PodSpec => spec.template.spec;
const main = (one: Manifest): Container => podOf(one).containers[0] as Container;
const roleOf = (one: Manifest) => one.metadata.labels?.["app.kubernetes.io/component"] ?? "";
const workloads = (all: readonly Manifest[]) => [...ofKind(all, "Deployment"), ...ofKind(all, "Job")];

/** The environment that a container would have, with secrets made up. */
function environmentOf(container: Container, all: readonly Manifest[]): Record<string, string> {
  const madeUp: Readonly<Record<string, string>> = {
    ...{
      DATABASE_URL: "postgres://u:p@pgbouncer:6432/proximal",
      DATABASE_DIRECT_URL: "postgres://u:p@postgres/proximal",
    },
    ...{ DATABASE_REPLICA_URL: "postgres://u:p@replica/proximal", REDIS_URL: "redis://redis:6379" },
    ...{ JOBS_REDIS_URL: "redis://jobs:6379", username: "proximal", password: "secret" },
  };
  const maps = (container.envFrom ?? []).map(
    ({ configMapRef }) => ofKind(all, "ConfigMap").find(({ metadata }) => metadata.name === configMapRef?.name)?.data,
  );
  expect(maps).not.toContain(undefined);
  const own = (container.env ?? []).map(({ name, value, valueFrom }) => [
    name,
    value ?? madeUp[valueFrom?.secretKeyRef?.key ?? ""] ?? "",
  ]);
  return Object.assign({}, ...maps, Object.fromEntries(own));
}

describe.skipIf(tools === null)("infra/k8s", () => {
  test.each(each)("$name is what the schemas of Kubernetes, KEDA and the others allow", ({ yaml }) => {
    if (tools !== null) expect(refusals(tools, yaml)).toEqual([]);
  });

  test("a field that is not known is refused, and so is a kind without a schema", () => {
    if (tools === null) return;
    const wrong = [
      ["replicas: 2\n", "replicaz: 2\n"],
      ["runAsNonRoot: true", "runAsNonRoot: yes-please"],
      ["kind: PodDisruptionBudget", "kind: PodDisruption"],
    ] as const;
    const yaml = built.get("small") ?? "";
    for (const [right, broken] of wrong) expect(refusals(tools, yaml.replace(right, broken)), broken).toHaveLength(1);
    const keda = (built.get("medium") ?? "").replace("maxReplicaCount", "maxReplicas");
    expect(refusals(tools, keda)).toEqual([expect.stringContaining("ScaledObject")]);
  });

  test.each(each)("$name: no container may be more than it needs", ({ all }) => {
    expect(workloads(all).length).toBeGreaterThan(4);
    for (const workload of workloads(all)) {
      const pod = podOf(workload);
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      expect(pod.securityContext?.runAsUser).toBeGreaterThan(0);
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.initContainers).toBeUndefined();
      expect(pod.containers).toHaveLength(1);
      for (const container of pod.containers) {
        expect(container.securityContext).toMatchObject({
          ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
        });
        expect(container.image).toBe(
          `proximal:${JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version}`,
        );
      }
    }
    const [namespace] = ofKind(all, "Namespace");
    expect(namespace?.metadata.labels).toMatchObject({ "pod-security.kubernetes.io/enforce": "restricted" });
    for (const one of all) if (one !== namespace) expect(one.metadata.namespace, one.metadata.name).toBe("proximal");
  });

  test.each(each)("$name: every process has settings that are known and go together", ({ all }) => {
    for (const workload of workloads(all)) {
      const container = main(workload);
      const environment = environmentOf(container, all);
      const role = container.args?.[0] === "migrate" ? "all" : (container.args?.[2] ?? "");
      expect(roles).toContain(role);
      const { config, warnings } = loadConfig(environment, { PROXIMAL_ROLE: role });
      expect(warnings, workload.metadata.name).toEqual([]);
      if (workload.kind === "Job") continue;
      expect(container.ports).toMatchObject([{ name: "http", containerPort: config.port }]);
      expect(config.host).toBe("0.0.0.0");
      expect(container.volumeMounts).toContainEqual({ name: "tmp", mountPath: config.dataFolder });
      // A stop is clean: the process ends before it is killed, and answers while nodes still send.
      const graceMs = (podOf(workload).terminationGracePeriodSeconds ?? 0) * 1000;
      expect(graceMs).toBeGreaterThanOrEqual(config.stopTimeoutMs + 5000);
      expect(config.drainMs).toBeGreaterThanOrEqual(5000);
      const { startupProbe, readinessProbe, livenessProbe } = container;
      const startMs = (startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0) * 1000;
      expect(startMs).toBeGreaterThan(config.startTimeoutSeconds * 1000);
      expect([startupProbe, livenessProbe].map((probe) => probe?.httpGet)).toEqual([
        { path: "/healthz", port: "http" },
        { path: "/healthz", port: "http" },
      ]);
      expect(readinessProbe?.httpGet).toEqual({ path: "/readyz?exclude=projections,engines", port: "http" });
    }
  });

  test.each(each)("$name: secrets are referred to and never there", ({ all, yaml }) => {
    expect(ofKind(all, "Secret")).toEqual([]);
    expect(yaml).not.toMatch(/:\/\/[^\s/]*:[^\s/]*@/);
    for (const workload of workloads(all)) {
      for (const { name, value } of main(workload).env ?? []) {
        if (/_URL$|PASSWORD|SECRET|USERNAME/.test(name)) expect(value, name).toBeUndefined();
      }
    }
    for (const { data } of ofKind(all, "ConfigMap"))
      expect(Object.keys(data ?? {}).join()).not.toMatch(/_URL|PASSWORD/);
  });

  test.each(each)("$name: one autoscaler for a Deployment at the most, and none where replicas are set", ({ all }) => {
    const targets = [...ofKind(all, "HorizontalPodAutoscaler"), ...ofKind(all, "ScaledObject")].map(
      ({ spec }) => spec.scaleTargetRef.name,
    );
    expect(new Set(targets).size).toBe(targets.length);
    for (const { metadata, spec } of ofKind(all, "Deployment")) {
      expect(spec.replicas === undefined, metadata.name).toBe(targets.includes(metadata.name));
    }
    const names = ofKind(all, "Deployment").map(({ metadata }) => metadata.name);
    const advised = ofKind(all, "VerticalPodAutoscaler");
    for (const target of [...targets, ...advised.map(({ spec }) => spec.targetRef.name)])
      expect(names).toContain(target);
    for (const { spec } of advised) expect(spec.updatePolicy.updateMode).toBe("Off");
  });

  test.each(each)("$name: what may be evicted, spread and reached", ({ all }) => {
    const deployments = ofKind(all, "Deployment");
    const budgets = ofKind(all, "PodDisruptionBudget").map(({ spec }) => spec.selector.matchLabels);
    expect(budgets).toEqual(expect.arrayContaining(deployments.map(({ spec }) => spec.selector.matchLabels)));
    expect(budgets).toHaveLength(deployments.length);
    for (const deployment of deployments) {
      const labels = deployment.spec.template.metadata.labels;
      expect(labels).toMatchObject(deployment.spec.selector.matchLabels);
      const keys = podOf(deployment).topologySpreadConstraints?.map(({ topologyKey }) => topologyKey);
      expect(keys).toEqual(["topology.kubernetes.io/zone", "kubernetes.io/hostname"]);
      expect(podOf(deployment).affinity).toHaveProperty("podAntiAffinity");
    }
    for (const { spec } of ofKind(all, "Service")) {
      expect(deployments.map((one) => one.spec.selector.matchLabels)).toContainEqual(spec.selector);
      expect(spec.ports).toMatchObject([{ port: 80, targetPort: "http" }]);
    }
    const [denied] = ofKind(all, "NetworkPolicy").filter(({ metadata }) => metadata.name === "proximal-deny-all");
    expect(denied?.spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    // Outside of those who answer clients nobody is reached from an Ingress.
    const [clients] = ofKind(all, "NetworkPolicy").filter(({ metadata }) => metadata.name === "proximal-clients");
    expect(clients?.spec.podSelector.matchExpressions[0].values).toEqual(["api", "query"]);
  });

  test.each(each)("$name: pods ask for what was measured, and may be as many as the plan for it says", (overlay) => {
    const { all, workload } = overlay;
    const costs = costsSchema.parse(JSON.parse(readFileSync(join(root, "load-tests/results/costs.json"), "utf8")));
    const plan = planCapacity(costs, workloadSchema.parse(workload), rulesSchema.parse({}));
    const scaled = new Map(
      [...ofKind(all, "HorizontalPodAutoscaler"), ...ofKind(all, "ScaledObject")].map(({ spec }) => [
        spec.scaleTargetRef.name,
        spec.maxReplicas ?? spec.maxReplicaCount,
      ]),
    );
    for (const deployment of ofKind(all, "Deployment")) {
      const role = roleOf(deployment);
      const of = plan.roles.find((one) => one.role === (role === "query" ? "api" : role));
      const { requests, limits } = main(deployment).resources ?? {};
      const [cpu, memory] = [quantity(requests?.cpu ?? ""), quantity(requests?.memory ?? "")];
      expect(quantity(limits?.memory ?? "")).toBeGreaterThanOrEqual(1.5 * memory);
      expect(limits?.cpu, "a limit would make slices of time of what is a core").toBeUndefined();
      if (of === undefined) continue;
      // Rows in memory come on top of what was measured with few.
      const rows =
        role === "api" || role === "query" ? loadConfig(environmentOf(main(deployment), all), {}).config : null;
      const needed = of.memoryBytes + (rows?.rowCacheMegabytes ?? 0) * 1024 ** 2;
      // Memory differs by a fifth from one measurement to the next, as garbage does.
      expect(memory, `memory of ${role}`).toBeGreaterThanOrEqual(0.8 * needed);
      const replicasMax = scaled.get(deployment.metadata.name) ?? deployment.spec.replicas;
      expect(replicasMax, `replicas of ${role}`).toBeGreaterThanOrEqual(of.processes);
      expect(cpu, `cpu of ${role}`).toBeGreaterThanOrEqual(of.cores / of.processes);
    }
    const [settings] = ofKind(all, "ConfigMap").filter(({ metadata }) => metadata.name.startsWith("proximal-settings"));
    const partitions = Number(settings?.data?.PROXIMAL_PARTITIONS);
    expect(partitions).toBeGreaterThanOrEqual(plan.partitions);
    if (scaled.has("proximal-projector")) expect(scaled.get("proximal-projector")).toBe(partitions);
  });

  test("every metric that an autoscaler asks for is one that processes tell", () => {
    const told = [...readFileSync(join(root, "docs/metrics.md"), "utf8").matchAll(/^\| `(\w+)`/gm)].map(
      ([, name]) => name,
    );
    expect(told.length).toBeGreaterThan(20);
    const asked = each.flatMap(({ all }) => [
      ...ofKind(all, "ScaledObject").flatMap(({ spec }) =>
        spec.triggers.flatMap(({ metadata }: Trigger) => metadata.query ?? []),
      ),
      ...ofKind(all, "HorizontalPodAutoscaler").flatMap(({ spec }) =>
        spec.metrics.flatMap(({ pods }: Metric) => pods?.metric.name ?? []),
      ),
    ]);
    expect(asked.length).toBeGreaterThan(8);
    for (const query of asked) {
      const names = String(query).match(/\b[a-z]+_[a-z_]+\b(?=[{)]|$)/g);
      expect(names, query).toHaveLength(1);
      expect(told, query).toContain(names?.[0]);
    }
  });

  test("KEDA reads the topic and group that projectors use, and counts a backlog in seconds of one's work", () => {
    const costs = costsSchema.parse(JSON.parse(readFileSync(join(root, "load-tests/results/costs.json"), "utf8")));
    for (const { all } of each.filter(({ name }) => name !== "small")) {
      const [scaler] = ofKind(all, "ScaledObject").filter(({ metadata }) => metadata.name === "proximal-projector");
      const kafka = scaler?.spec.triggers.find(({ type }: { type: string }) => type === "kafka").metadata;
      const [deployment] = ofKind(all, "Deployment").filter((one) => roleOf(one) === "projector");
      const { config } = loadConfig(environmentOf(main(deployment as Manifest), all), { PROXIMAL_ROLE: "projector" });
      expect(kafka).toMatchObject({ topic: config.kafkaTopic, consumerGroup: `${config.kafkaTopic}.projector` });
      expect(kafka.bootstrapServers).toBe(config.kafkaBrokers.join(","));
      expect(kafka.sasl.replaceAll("_", "-").replace("sha512", "sha-512")).toBe(config.kafkaSaslMechanism);
      const seconds = Number(kafka.lagThreshold) * (costs.cpu.projectedFromKafka?.app?.median ?? 0);
      expect(seconds).toBeGreaterThan(2);
      expect(seconds).toBeLessThan(30);
    }
  });
});
