import { isTest, layerOf, production, type Rule } from "./rules.ts";
import type { Import, Module } from "./source-tree.ts";

/** Which layers the files of a layer may import, besides their own. */
const mayImport: Record<string, readonly string[]> = {
  domain: [],
  ports: ["domain"],
  commands: ["domain", "ports"],
  // Row types and decoders are how projections, queries and workers agree on what is stored.
  projections: ["domain", "ports"],
  queries: ["domain", "ports", "projections"],
  workers: ["domain", "ports", "projections"],
  adapters: ["domain", "ports"],
  http: ["domain", "ports", "commands", "projections", "queries", "workers"],
  app: ["domain", "ports", "commands", "projections", "queries", "workers", "http", "adapters"],
};

/** npm packages and modules of Node that the files of a folder may import; the longest folder that fits counts. */
const packages: Record<string, readonly string[]> = {
  "src/domain": ["zod", "ajv"],
  "src/domain/reviews": ["zod", "ts-fsrs"],
  "src/domain/capacity": ["zod", "ml-levenberg-marquardt"],
  "src/ports": [],
  "src/commands": ["zod", "node:crypto"],
  "src/projections": [
    "zod",
    "lru-cache",
    "node:crypto",
    "node:timers/promises",
    "node:events",
    "node:util",
    "node:zlib",
  ],
  "src/queries/statistics": ["jstat"],
  "src/queries": ["zod", "lru-cache", "node:crypto", "node:timers/promises", "node:events", "node:stream", "node:zlib"],
  "src/queries/plots": ["d3-scale", "d3-shape"],
  "src/queries/export": ["zod", "lru-cache", "node:crypto", "hyparquet-writer"],
  "src/workers": ["zod", "prom-client", "p-timeout", "node:*"],
  "src/adapters/event-store": ["pg", "@eventstore/db-client", "p-limit", "p-timeout", "node:*"],
  "src/adapters/blobs": ["pg", "node:*"],
  "src/adapters/api-keys": ["pg", "node:*"],
  "src/adapters/engines": ["pg", "ioredis", "cockatiel", "node:*"],
  "src/adapters/job-queue": ["bullmq", "ioredis", "@bull-board/*", "p-timeout", "node:*"],
  "src/adapters/read-models": ["ioredis", "lru-cache", "node:*"],
  "src/adapters/archive": ["zod", "lru-cache", "node:*"],
  "src/adapters/answer-log": ["csv-parse", "node:*"],
  "src/adapters/item-bank-files": ["saxes", "yauzl", "jsonc-parser", "zod", "node:*"],
  "src/adapters/lease": ["pg", "node:*"],
  "src/adapters/presence": ["node:*"],
  "src/adapters/replay-store": ["node:*"],
  "src/adapters/event-stream": ["kafkajs", "@node-rs/crc32", "zod", "p-timeout", "node:*"],
  "src/adapters/tracing": ["@opentelemetry/*", "node:async_hooks"],
  "src/http": [
    "fastify",
    "@fastify/*",
    "fastify-type-provider-zod",
    "fastify-plugin",
    "zod",
    "lru-cache",
    "p-limit",
    "p-timeout",
    "prom-client",
    "node:*",
  ],
  "src/app": [
    "commander",
    "cli-progress",
    "log-update",
    "pino",
    "pino-pretty",
    "prom-client",
    "csv-parse",
    "zod",
    "fastify",
    "p-timeout",
    "node:*",
  ],
};

const layers: Rule = (tree) =>
  importsOf(production(tree), (module, { target }) => {
    const from = layerOf(module.path);
    const to = target === null ? null : layerOf(target);
    if (from === null || to === null || from === to) return null;
    const allowed = mayImport[from];
    if (allowed === undefined) return `${from} is not a layer; the layers are ${Object.keys(mayImport).join(", ")}`;
    return allowed.includes(to) ? null : `${from} must not import ${to} (${target})`;
  });

/** An adapter knows no other adapter; adapters/engines (connections and drivers) is what they share. */
const adaptersApart: Rule = (tree) =>
  importsOf(production(tree), (module, { target }) => {
    const from = adapterOf(module.path);
    const to = target === null ? null : adapterOf(target);
    if (from === null || to === null || from === to || to === "engines") return null;
    return `adapters/${from} must not import adapters/${to}`;
  });

const outsideSource: Rule = (tree) =>
  importsOf(production(tree), (_module, { target }) => {
    if (target === null || target === "package.json") return null;
    if (isTest(target)) return `production code must not import a test (${target})`;
    return target.startsWith("src/") ? null : `src must not import ${target}`;
  });

const npmPackages: Rule = (tree) =>
  importsOf(production(tree), (module, { specifier, target }) => {
    if (target !== null) return null;
    const folder = Object.keys(packages)
      .filter((candidate) => module.path.startsWith(`${candidate}/`))
      .sort((a, b) => b.length - a.length)[0];
    const allowed = folder === undefined ? [] : (packages[folder] ?? []);
    if (allowed.some((pattern) => fits(specifier, pattern))) return null;
    return `${folder ?? module.path} must not import ${specifier}; allowed: ${allowed.join(", ") || "nothing"}`;
  });

const noCycles: Rule = (tree) => {
  const modules = new Map(production(tree).map((module) => [module.path, module]));
  const done = new Set<string>();
  const found: ReturnType<Rule> = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      found.push({ path, line: 1, what: `imports itself: ${[...trail.slice(start), path].join(" -> ")}` });
      return;
    }
    if (done.has(path)) return;
    for (const { target } of modules.get(path)?.imports ?? []) {
      if (target !== null && modules.has(target)) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of modules.keys()) visit(path, []);
  return found;
};

const resolves: Rule = (tree) => {
  const paths = new Set(tree.modules.map((module) => module.path));
  return importsOf(tree.modules, (_module, { target }) =>
    target?.startsWith("src/") && target.endsWith(".ts") && !paths.has(target) ? `there is no ${target}` : null,
  );
};

export const importRules: Record<string, Rule> = {
  layers,
  "adapters-apart": adaptersApart,
  "outside-source": outsideSource,
  "npm-packages": npmPackages,
  "no-cycles": noCycles,
  resolves,
};

function adapterOf(path: string): string | null {
  return /^src\/adapters\/([^/]+)\//.exec(path)?.[1] ?? null;
}

/** `pg` fits "pg" and "pg/lib/x"; "node:*" fits every module of Node. */
function fits(specifier: string, pattern: string): boolean {
  if (pattern.endsWith("*")) return specifier.startsWith(pattern.slice(0, -1));
  return specifier === pattern || specifier.startsWith(`${pattern}/`);
}

function importsOf(
  modules: readonly Module[],
  judge: (module: Module, found: Import) => string | null,
): ReturnType<Rule> {
  return modules.flatMap((module) =>
    module.imports.flatMap((found) => {
      const what = judge(module, found);
      return what === null ? [] : [{ path: module.path, line: found.line, what }];
    }),
  );
}
