import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { type Costs, costsSchema } from "../../src/domain/capacity/costs.ts";
import { pricesSchema } from "../../src/domain/capacity/prices.ts";
import { rulesSchema, type Workload, workloadSchema } from "../../src/domain/capacity/workload.ts";
import { type CapacityPlan, fitLaws, makeCapacityPlan } from "../../src/queries/capacity/capacity-plan.ts";
import { lawTable, type PlanTable } from "../../src/queries/capacity/plan-text.ts";
import { bytesText, msText, numberText, percentText } from "../../src/queries/capacity/units.ts";

/** The tables of docs/capacity.md, each made from what it says and from the measured files. */

const root = join(import.meta.dirname, "../..");
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), "utf8"));

/** The document with every part between `<!-- made: NAME -->` and `<!-- end -->` made anew. */
export function withTables(document: string): string {
  const costs = costsSchema.parse(read("load-tests/results/costs.json"));
  const parts: Readonly<Record<string, () => string>> = {
    costs: () => costsPart(costs),
    laws: () => markdown(lawTable(fitLaws(costs))),
    plans: () => plansPart(costs),
    targets: () => targetsPart(costs),
    workload: () => fieldsPart(workloadSchema),
    rules: () => fieldsPart(rulesSchema),
    check: checkPart,
  };
  return document.replace(/<!-- made: (\w+) -->\n[\s\S]*?<!-- end -->/g, (_all, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`docs/capacity.md: nothing makes "${name}"`);
    return `<!-- made: ${name} -->\n${part()}\n<!-- end -->`;
  });
}

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

function markdown({ head, rows }: Pick<PlanTable, "head" | "rows">): string {
  return [row(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(row)].join("\n");
}

function stampOf({ measuredAt, command, machine }: Pick<Costs, "measuredAt" | "command" | "machine">) {
  return `\`${command}\`, ${measuredAt.slice(0, 10)}, at ${String(machine.commit ?? "an unknown commit").slice(0, 7)}, load ${machine.load_average}: ${machine.cores} shared cores of ${machine.cpu}, Node ${machine.node}, PostgreSQL ${machine.postgres}, Redis ${machine.redis}.`;
}

const operationNames: Readonly<Record<keyof Costs["cpu"], string>> = {
  nextFromMemory: "next list, row in the memory of the process",
  nextFromRedis: "next list, row read from Redis",
  post: "POST of one interaction, durable",
  postInBatch: "one interaction of a POST of 100",
  projected: "one interaction projected, from the log",
  projectedFromKafka: "one interaction projected, from Kafka",
  projectorBatch: "a batch of the projector, beside its events",
  trained: "one interaction learnt by the trainer",
  relayed: "one event relayed into Kafka",
};

function costsPart(costs: Costs): string {
  const us = (spread: { median: number; min: number; max: number } | undefined): string => {
    if (spread === undefined) return "";
    const [median, min, max] = [spread.median, spread.min, spread.max].map((one) => numberText(one * 1e6));
    return min === max ? String(median) : `${median} (${min} to ${max})`;
  };
  const cpu = Object.entries(costs.cpu).map(([name, engines]) => [
    operationNames[name as keyof Costs["cpu"]],
    us(engines?.app),
    us(engines?.postgres),
    us(engines?.redis),
    us(engines?.kafka),
  ]);
  const { bytes, redisCommands, memory } = costs;
  const sizes = [
    ["rows of a learner in Redis", bytesText(bytes.redisPerLearner)],
    ["an interaction in PostgreSQL, with indexes", bytesText(bytes.logPerInteraction)],
    ["a served list in PostgreSQL, with indexes", bytesText(bytes.logPerServedList)],
    ["write-ahead log for an interaction", bytesText(bytes.walPerInteraction)],
    [
      "an interaction as JSON; in the archive's files",
      `${bytesText(bytes.eventPerInteraction)}; ${bytesText(bytes.eventPerInteraction * bytes.archiveRatio)}`,
    ],
    ["its message in Kafka", bytesText(bytes.kafkaPerInteraction)],
    ["GET next: request, answer", `${bytesText(bytes.nextRequest)}, ${bytesText(bytes.nextResponse)}`],
    ["POST: request, answer", `${bytesText(bytes.postRequest)}, ${bytesText(bytes.postResponse)}`],
    [
      "commands of Redis: an interaction projected, a list read",
      `${numberText(redisCommands.perProjected)}, ${numberText(redisCommands.perNextFromRedis)}`,
    ],
    [
      "memory of a process: api, projector, trainer",
      [memory.api, memory.projector, memory.trainer].map(bytesText).join(", "),
    ],
  ];
  return [
    stampOf(costs),
    "",
    "Microseconds of processor time; median of the rounds, and the least and the most:",
    "",
    markdown({ head: ["operation", "Proximal", "PostgreSQL", "Redis", "Kafka"], rows: cpu }),
    "",
    markdown({ head: ["size", ""], rows: sizes }),
    "",
    ...costs.notes.map((note) => `- ${note}`),
  ].join("\n");
}

const prices = pricesSchema.parse(read("src/app/cli/capacity/prices.json"));

const planOf = (costs: Costs, workload: Partial<Workload>): CapacityPlan =>
  makeCapacityPlan(costs, { workload: workloadSchema.parse(workload), rules: rulesSchema.parse({}), prices }, []);

const figures: readonly (readonly [string, (made: CapacityPlan) => string])[] = [
  ["interactions a second, peak", ({ plan }) => numberText(plan.demand.interactionsPerSecond)],
  ["requests a second, peak", ({ plan }) => numberText(plan.demand.requestsPerSecond)],
  ["learners at work at once", ({ plan }) => numberText(plan.demand.concurrentLearners)],
  ["processes: api", (made) => processes(made, "api")],
  ["processes: projector", (made) => processes(made, "projector")],
  ["processes: relay", (made) => processes(made, "relay")],
  ["trainer busy", ({ plan }) => percentText(plan.roles.find(({ role }) => role === "trainer")?.cores ?? 0)],
  ["partitions", ({ plan }) => String(plan.partitions)],
  ["Kafka brokers", ({ plan }) => (plan.kafka === null ? "none" : String(plan.kafka.brokers))],
  ["Redis: shards, memory of a node", ({ plan }) => `${plan.redis.shards}, ${bytesText(plan.redis.memoryOfNode)}`],
  ["Redis: commands a second", ({ plan }) => numberText(plan.redis.commandsPerSecond)],
  ["PostgreSQL: cores of the primary", ({ plan }) => String(plan.log.coresToHave)],
  ["PostgreSQL: growth a day", ({ plan }) => bytesText(plan.log.bytesPerDay)],
  ["PostgreSQL: disk of a node, 90 days", ({ plan }) => bytesText(plan.log.diskOfNode)],
  ["EventStoreDB instead: growth a day", () => ""],
  ["archive, 5 years", ({ plan }) => bytesText(plan.log.archiveBytes)],
  ["network to clients, peak", ({ plan }) => `${bytesText(plan.network.clientsOut)}/s`],
  ["network inside, peak", ({ plan }) => `${bytesText(plan.network.inside)}/s`],
  ["wait for a process, p99", ({ plan }) => msText(plan.apiQueueWaitP99Ms)],
  ["nearest limit", ({ plan }) => `${plan.limits[0]?.what}: ${percentText(plan.limits[0]?.load ?? 0)}`],
  ["USD a month", ({ cost }) => numberText(Math.round(cost.total))],
  [
    "of this the log's disks",
    ({ cost }) => numberText(Math.round(cost.lines.find(({ what }) => what === "log: disk")?.perMonth ?? 0)),
  ],
  ["USD a month for 1,000 learners", ({ cost }) => numberText(cost.perThousandLearners)],
];

function processes({ plan, cheapest, dearest }: CapacityPlan, role: string): string {
  const of = (made: CapacityPlan["plan"]): number => made.roles.find((one) => one.role === role)?.processes ?? 0;
  const [usual, low, high] = [of(plan), of(cheapest), of(dearest)];
  if (usual === 0) return "none";
  return low === high ? String(usual) : `${usual} (${low} to ${high})`;
}

const sizes = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];

function plansPart(costs: Costs): string {
  const made = sizes.map((learners) => planOf(costs, { learners }));
  const inEventStore = sizes.map((learners) => planOf(costs, { learners, log: "eventstoredb" }));
  return markdown({
    head: ["", ...sizes.map((learners) => numberText(learners))],
    rows: figures.map(([name, of]) => [
      name,
      ...(name.startsWith("EventStoreDB")
        ? inEventStore.map(({ plan }) => bytesText(plan.log.bytesPerDay))
        : made.map(of)),
    ]),
  });
}

/** 25,000 interactions and as many next lists a second, from ten million learners. */
function targetsPart(costs: Costs): string {
  const [learners, activeShare, peakFactor] = [10_000_000, 0.4, 5];
  const interactionsPerDay = (25_000 * 86_400) / peakFactor / (learners * activeShare);
  const target = { learners, activeShare, peakFactor, interactionsPerDay };
  const made = planOf(costs, { ...target, nextPerInteraction: 1, otherQueriesPerInteraction: 0 });
  const { limits } = made.plan;
  return [
    markdown({
      head: ["", "at the promised rates"],
      rows: figures.filter(([name]) => !name.startsWith("EventStoreDB")).map(([name, of]) => [name, of(made)]),
    }),
    "",
    markdown({
      head: ["limit", "used", "why"],
      rows: limits.map(({ what, load, why }) => [what, percentText(load), why]),
    }),
  ].join("\n");
}

function fieldsPart(schema: z.ZodObject): string {
  const defaults = schema.parse({}) as Readonly<Record<string, unknown>>;
  const rows = Object.entries(schema.shape).map(([name, field]) => [
    `\`${name}\``,
    String(defaults[name]),
    (field as z.ZodType).description ?? "",
  ]);
  return markdown({ head: ["field", "default", "meaning"], rows });
}

interface Check extends Pick<Costs, "measuredAt" | "command" | "machine"> {
  readonly compared: readonly {
    readonly name: string;
    readonly posts: number;
    readonly lateStarts: number;
    readonly measured: Readonly<Record<string, number | null>>;
    readonly simulated: Readonly<Record<string, number | null>>;
  }[];
}

const checkNames: Readonly<Record<string, string>> = {
  postP50Ms: "POST p50, ms",
  postP99Ms: "POST p99, ms",
  visibleP50Ms: "answer to visible p50, ms",
  visibleP99Ms: "answer to visible p99, ms",
  lagEventsMax: "largest lag, events",
  drainedAfterS: "drained after, s",
};

/** Of the posts; beyond it the arrivals were not those that were asked for. */
const lateShareMax = 0.02;

function checkPart(): string {
  const path = "load-tests/results/simulation-check.json";
  if (!existsSync(join(root, path))) return "Not measured yet.";
  const check = read(path) as Check;
  const rows = check.compared.flatMap(({ name, measured, simulated }) =>
    Object.entries(checkNames).flatMap(([figure, title]) => {
      const [real, told] = [measured[figure], simulated[figure]];
      // What never lagged had nothing to drain.
      if (typeof real !== "number" || typeof told !== "number") return [];
      const error = real === 0 ? "" : `${told >= real ? "+" : "-"}${numberText(Math.abs(told / real - 1) * 100)} %`;
      return [[name, title, numberText(real), numberText(told), error]];
    }),
  );
  const late = check.compared.reduce((sum, { lateStarts }) => sum + lateStarts, 0);
  const posts = check.compared.reduce((sum, one) => sum + one.posts, 0);
  const tooBusy =
    " That is too many: the machine was so busy with other things that generator and processes waited for a core, which the simulation knows nothing of. These figures tell how busy it was, and nothing of the simulation.";
  return [
    stampOf(check),
    "",
    `Of ${numberText(posts)} posts ${percentText(late / posts)} left more than 20 ms late.${late / posts > lateShareMax ? tooBusy : ""}`,
    "",
    markdown({ head: ["case", "figure", "measured", "simulated", "error"], rows }),
  ].join("\n");
}
