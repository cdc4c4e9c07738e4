// long because: it is one table, and each setting has eight lines of it
import { z } from "zod";
import { defaultModel, modelNames } from "../domain/learner-model/model-names.ts";

/** One setting: everything `doctor`, `--help` and docs/configuration.md say of it stands here, and its check. */
export interface Setting<Schema extends z.ZodType = z.ZodType> {
  /** Environment variable. */
  readonly name: string;
  readonly group:
    | "server"
    | "engines"
    | "ingest"
    | "answers"
    | "projections"
    | "jobs"
    | "scaling"
    | "logging"
    | "command line";
  /** As it would be written in the environment; null where leaving it out means something of its own. */
  readonly default: string | null;
  readonly unit: string;
  readonly allowed: string;
  readonly meaning: string;
  /** A secret, or a URL that may hold one: masked wherever it is printed. */
  readonly secret?: "all" | "url";
  /** Takes the text of the variable, or the default; undefined where neither is there. */
  readonly schema: Schema;
}

const setting = <Schema extends z.ZodType>(s: Setting<Schema>): Setting<Schema> => s;

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/)
    .transform(Number)
    .refine((n) => n >= min && n <= max);

const onOff = z.enum(["on", "off"]).transform((value) => value === "on");

/** 0 to 1. */
const share = z
  .string()
  .regex(/^(0|1|0?\.\d{1,9}|1\.0)$/)
  .transform(Number);

const isUrlOf = (protocols: readonly string[], text: string): boolean =>
  URL.canParse(text) && protocols.includes(new URL(text).protocol);

const isOrigin = (text: string): boolean => isUrlOf(["http:", "https:"], text) && new URL(text).origin === text;

const urlOf = (protocols: readonly string[]) =>
  z
    .string()
    .refine((text) => isUrlOf(protocols, text))
    .optional();

/** As OpenTelemetry's specification has them: percent-encoded, the first = ends the name. */
const headers = z.string().transform((text, context): Readonly<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (const pair of text.split(",").filter((one) => one.trim() !== "")) {
    const [, name, value] = /^\s*([\w-]+)=(\S*)\s*$/.exec(pair) ?? [];
    const decoded = value === undefined ? null : percentDecoded(value);
    if (name === undefined || decoded === null) {
      context.addIssue({ code: "custom", message: "not headers" });
      return z.NEVER;
    }
    found[name] = decoded;
  }
  return found;
});

function percentDecoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

const postgresUrl = urlOf(["postgres:", "postgresql:"]);

const hosts = String.raw`[\w.-]+(:\d{1,5})?(,[\w.-]+(:\d{1,5})?)*`;
const severalHosts = {
  sentinel: new RegExp(String.raw`^rediss?\+sentinel://([^@/]*@)?${hosts}/[\w.-]+(/\d+)?$`),
  cluster: new RegExp(String.raw`^rediss?\+cluster://([^@/]*@)?${hosts}/?$`),
};

/** One server, or several: URLs with several hosts are no URLs to the standard. */
const redisUrl = (...forms: readonly (keyof typeof severalHosts)[]) =>
  z
    .string()
    .refine(
      (text) =>
        (URL.canParse(text) && ["redis:", "rediss:"].includes(new URL(text).protocol)) ||
        forms.some((form) => severalHosts[form].test(text)),
    )
    .optional();

const kafkaFile = (name: string, meaning: string) =>
  setting({
    ...{ name, group: "engines", default: null, unit: "", allowed: "path of a PEM file", meaning },
    schema: z.string().min(1).optional(),
  });

/** What a process does; docs/deployment.md says what each needs. */
export const roles = ["all", "api", "query", "relay", "projector", "trainer", "jobs"] as const;
export type Role = (typeof roles)[number];

const listOf = z.string().transform((text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== ""),
);

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export const settings = {
  role: setting({
    name: "PROXIMAL_ROLE",
    group: "server",
    default: "all",
    unit: "",
    allowed: roles.join(", "),
    meaning:
      "What this process does: commands and queries (api), queries only (query), one kind of work beside the requests (relay, projector, trainer, jobs), or everything. Also `proximal serve --role`.",
    schema: z.enum(roles),
  }),
  processes: setting({
    name: "PROXIMAL_PROCESSES",
    group: "server",
    default: "1",
    unit: "",
    allowed: "1 to 256, or auto: one for each core",
    meaning:
      "Processes of the role api or query that share the port; one that dies is replaced. Also `proximal serve --processes`.",
    schema: z.union([z.literal("auto"), wholeNumber(1, 256)]),
  }),
  host: setting({
    name: "HOST",
    group: "server",
    default: "127.0.0.1",
    unit: "",
    allowed: "a host name or address; 0.0.0.0 for every network this machine is on",
    meaning: "Where the server listens.",
    schema: z.string().regex(/^[^\s/]+$/),
  }),
  port: setting({
    name: "PORT",
    group: "server",
    default: "3000",
    unit: "",
    allowed: "0 to 65535; 0 picks a free one",
    meaning: "Port the server listens on.",
    schema: wholeNumber(0, 65_535),
  }),
  corsOrigins: setting({
    name: "PROXIMAL_CORS_ORIGINS",
    group: "server",
    default: "",
    unit: "",
    allowed: "origins (https://host:port) separated by commas, or *",
    meaning: "Web pages of these origins may call the API from a browser. Empty: none.",
    schema: listOf.refine((all) => all.every((one) => one === "*" || isOrigin(one))),
  }),
  rateLimitPerMinute: setting({
    name: "PROXIMAL_RATE_LIMIT",
    group: "server",
    default: "600000",
    unit: "requests/min",
    allowed: "0 to 100000000; 0 for no limit",
    meaning: "Requests a minute for each API key.",
    schema: wholeNumber(0, 100_000_000),
  }),
  shedDelayMs: setting({
    name: "PROXIMAL_SHED_DELAY_MS",
    group: "server",
    default: "100",
    unit: "ms",
    allowed: "0 to 10000; 0: nothing is refused",
    meaning:
      "While the event loop is late by more than this, requests are refused with 503 and Retry-After: analysts' first, then bulk, then writes, learners' queries last.",
    schema: wholeNumber(0, 10_000),
  }),
  bodyLimitBytes: setting({
    name: "PROXIMAL_BODY_LIMIT",
    group: "server",
    default: "1048576",
    unit: "bytes",
    allowed: "1024 to 1073741824",
    meaning: "Largest JSON body. NDJSON is streamed and has a limit by line instead.",
    schema: wholeNumber(1024, 1_073_741_824),
  }),
  lineLimitBytes: setting({
    name: "PROXIMAL_LINE_LIMIT",
    group: "server",
    default: "65536",
    unit: "bytes",
    allowed: "256 to 16777216",
    meaning: "Longest line of NDJSON, posted or imported.",
    schema: wholeNumber(256, 16_777_216),
  }),
  openMetrics: setting({
    name: "PROXIMAL_OPEN_METRICS",
    group: "server",
    default: "off",
    unit: "",
    allowed: "on or off",
    meaning: "/metrics for anyone who can connect. Off: for a key with the scope operator, or from this machine.",
    schema: onOff,
  }),
  trustProxy: setting({
    name: "PROXIMAL_TRUST_PROXY",
    group: "server",
    default: "off",
    unit: "",
    allowed: "on or off",
    meaning: "Believe X-Forwarded-For: on only behind a proxy that sets it.",
    schema: onOff,
  }),
  stopTimeoutMs: setting({
    name: "PROXIMAL_STOP_TIMEOUT_MS",
    group: "server",
    default: "10000",
    unit: "ms",
    allowed: "100 to 600000",
    meaning: "Time a clean stop may take before what is left is cut off. Nothing accepted is lost either way.",
    schema: wholeNumber(100, 600_000),
  }),
  drainMs: setting({
    name: "PROXIMAL_DRAIN_MS",
    group: "server",
    default: "200",
    unit: "ms",
    allowed: "0 to 60000",
    meaning:
      "How long a server that was told to stop still answers: /readyz says no and each reply ends its connection, so that clients and balancers go elsewhere. Part of PROXIMAL_STOP_TIMEOUT_MS.",
    schema: wholeNumber(0, 60_000),
  }),
  startTimeoutSeconds: setting({
    name: "PROXIMAL_START_TIMEOUT_S",
    group: "server",
    default: "30",
    unit: "s",
    allowed: "0 to 3600; 0 tries once",
    meaning: "How long a start waits for engines that do not answer yet. A line each second says for which.",
    schema: wholeNumber(0, 3600),
  }),
  dataFolder: setting({
    name: "PROXIMAL_DATA",
    group: "engines",
    default: ".proximal",
    unit: "",
    allowed: "a folder this process may write to; made where it is not there",
    meaning: "Durable folder of the embedded event log, and of the snapshot of the read models.",
    schema: z.string().min(1),
  }),
  databaseUrl: setting({
    name: "DATABASE_URL",
    group: "engines",
    default: null,
    unit: "",
    allowed: "postgres://user:password@host:port/database",
    meaning:
      "Event log in PostgreSQL instead of the embedded SQLite (with EVENTSTOREDB_URL: blobs, API keys and snapshots). May lead through PgBouncer in transaction mode.",
    secret: "url",
    schema: postgresUrl,
  }),
  databaseDirectUrl: setting({
    name: "DATABASE_DIRECT_URL",
    group: "engines",
    default: null,
    unit: "",
    allowed: "postgres://user:password@host:port/database",
    meaning: "The same database without a pooler between, for LISTEN and migrations. Left out: DATABASE_URL.",
    secret: "url",
    schema: postgresUrl,
  }),
  databaseReplicaUrl: setting({
    name: "DATABASE_REPLICA_URL",
    group: "engines",
    default: null,
    unit: "",
    allowed: "postgres://user:password@host:port/database",
    meaning: "A streaming replica for analysts' reads of the log. Left out: they read where everybody writes.",
    secret: "url",
    schema: postgresUrl,
  }),
  archiveFolder: setting({
    name: "PROXIMAL_ARCHIVE",
    group: "engines",
    default: null,
    unit: "",
    allowed: "a folder that all processes of a deployment see",
    meaning:
      "Where `proximal archive` moves old segments of a log in PostgreSQL, and where they are read from then on.",
    schema: z.string().min(1).optional(),
  }),
  archiveAfterDays: setting({
    name: "PROXIMAL_ARCHIVE_AFTER_DAYS",
    group: "jobs",
    default: "0",
    unit: "days",
    allowed: "0 to 36500; 0: only `proximal archive` does",
    meaning: "Segments of the log of which every event is older move to PROXIMAL_ARCHIVE by a daily job.",
    schema: wholeNumber(0, 36_500),
  }),
  replicaMaxLagMs: setting({
    name: "PROXIMAL_REPLICA_MAX_LAG_MS",
    group: "engines",
    default: "5000",
    unit: "ms",
    allowed: "0 to 3600000",
    meaning: "A replica that lacks what was there so long ago is not asked; DATABASE_URL answers then.",
    schema: wholeNumber(0, 3_600_000),
  }),
  breakerOpenMs: setting({
    name: "PROXIMAL_BREAKER_OPEN_MS",
    group: "engines",
    default: "1000",
    unit: "ms",
    allowed: "0 to 60000; 0: engines are always asked",
    meaning:
      "How long an engine that keeps failing is not asked before one call tries it again (for reads of the read models a quarter of it). Callers are refused at once meanwhile.",
    schema: wholeNumber(0, 60_000),
  }),
  eventStoreDbUrl: setting({
    name: "EVENTSTOREDB_URL",
    group: "engines",
    default: null,
    unit: "",
    allowed: "esdb://host:port or esdb://user:password@h1:p,h2:p,h3:p",
    meaning: "Event log in EventStoreDB (or KurrentDB). Needs DATABASE_URL for what lies beside the log.",
    secret: "url",
    schema: z
      .string()
      .regex(/^(esdb|kurrentdb)(\+discover)?:\/\/\S+$/)
      .optional(),
  }),
  kafkaBrokers: setting({
    name: "KAFKA_BROKERS",
    group: "engines",
    default: "",
    unit: "",
    allowed: "host:port,host:port,…",
    meaning:
      "A relay copies the log into Kafka, and projectors share its partitions as a consumer group. Empty: the projector reads the log itself.",
    schema: listOf.refine((all) => all.every((one) => /^[^\s:/]+:\d{1,5}$/.test(one))),
  }),
  kafkaTls: setting({
    name: "KAFKA_TLS",
    group: "engines",
    default: "off",
    unit: "",
    allowed: "on, off",
    meaning: "Speak TLS with the brokers, whose certificates must be good for the names in KAFKA_BROKERS.",
    schema: onOff,
  }),
  kafkaTlsCa: kafkaFile(
    "KAFKA_TLS_CA",
    "Certificates of the authorities that brokers are trusted by, instead of Node's own.",
  ),
  kafkaTlsCert: kafkaFile("KAFKA_TLS_CERT", "Certificate that this process shows to brokers which ask for one."),
  kafkaTlsKey: kafkaFile("KAFKA_TLS_KEY", "Private key of KAFKA_TLS_CERT."),
  kafkaSaslMechanism: setting({
    name: "KAFKA_SASL_MECHANISM",
    group: "engines",
    default: null,
    unit: "",
    allowed: "plain, scram-sha-256, scram-sha-512",
    meaning: "How this process says who it is to the brokers. With plain the password is sent as it is: use TLS.",
    schema: z.enum(["plain", "scram-sha-256", "scram-sha-512"]).optional(),
  }),
  kafkaSaslUsername: setting({
    name: "KAFKA_SASL_USERNAME",
    group: "engines",
    default: null,
    unit: "",
    allowed: "1 to 200 characters",
    meaning: "Who it is.",
    schema: z.string().min(1).max(200).optional(),
  }),
  kafkaSaslPassword: setting({
    name: "KAFKA_SASL_PASSWORD",
    group: "engines",
    default: null,
    unit: "",
    allowed: "1 to 1000 characters",
    meaning: "Its password.",
    secret: "all",
    schema: z.string().min(1).max(1000).optional(),
  }),
  kafkaTopic: setting({
    name: "PROXIMAL_KAFKA_TOPIC",
    group: "engines",
    default: "proximal.events",
    unit: "",
    allowed: "letters, digits, dot, dash, underscore; up to 200",
    meaning: "Topic of the relayed events. It has PROXIMAL_PARTITIONS partitions.",
    schema: z.string().regex(/^[\w.-]{1,200}$/),
  }),
  redisUrl: setting({
    name: "REDIS_URL",
    group: "engines",
    default: null,
    unit: "",
    allowed:
      "redis://host:port/db (rediss:// for TLS), redis+sentinel://user:password@h1:p,h2:p,h3:p/NAME/db, redis+cluster://user:password@h1:p,h2:p,…",
    meaning: "Read models in Redis (one server, Sentinel or Cluster) instead of in memory.",
    secret: "url",
    schema: redisUrl("sentinel", "cluster"),
  }),
  jobsRedisUrl: setting({
    name: "JOBS_REDIS_URL",
    group: "engines",
    default: null,
    unit: "",
    allowed: "redis://host:port/db (rediss:// for TLS) or redis+sentinel://user:password@h1:p,h2:p,h3:p/NAME/db",
    meaning:
      "Background jobs in BullMQ on a Redis of their own (noeviction) instead of in the process. With role all: this process works on them too.",
    secret: "url",
    schema: redisUrl("sentinel"),
  }),
  model: setting({
    name: "PROXIMAL_MODEL",
    group: "projections",
    default: defaultModel,
    unit: "",
    allowed: "lr-full, lr-lite or elo",
    meaning:
      "Learner model that predicts the next response. After a change the next start makes new rows beside those that serve.",
    schema: z.enum(modelNames),
  }),
  groupCommitDelayMs: setting({
    name: "PROXIMAL_GROUP_COMMIT_DELAY_MS",
    group: "ingest",
    default: "0",
    unit: "ms",
    allowed: "0 to 1000",
    meaning:
      "How long a POST waits for others to share its durable commit. 0: those of the same moment, and all that come while a commit runs.",
    schema: wholeNumber(0, 1000),
  }),
  groupCommitEvents: setting({
    name: "PROXIMAL_GROUP_COMMIT_EVENTS",
    group: "ingest",
    default: "500",
    unit: "events",
    allowed: "1 to 10000",
    meaning: "Largest group commit.",
    schema: wholeNumber(1, 10_000),
  }),
  ingestWaitMs: setting({
    name: "PROXIMAL_INGEST_WAIT_MS",
    group: "ingest",
    default: "1000",
    unit: "ms",
    allowed: "10 to 600000",
    meaning:
      "While an interaction has waited longer for its durable commit to begin, new POSTs are refused with 503 and Retry-After (busy). Nothing taken in is lost.",
    schema: wholeNumber(10, 600_000),
  }),
  ingestQueue: setting({
    name: "PROXIMAL_INGEST_QUEUE",
    group: "ingest",
    default: "50000",
    unit: "interactions",
    allowed: "1000 to 10000000",
    meaning:
      "Interactions that wait for their durable commit at the most, in the memory of a process; more are refused in the same way.",
    schema: wholeNumber(1_000, 10_000_000),
  }),
  afterWaitMs: setting({
    name: "PROXIMAL_AFTER_WAIT_MS",
    group: "answers",
    default: "1000",
    unit: "ms",
    allowed: "0 to 30000",
    meaning: "How long a query with `after=` waits for its interaction before it says that it is not in yet.",
    schema: wholeNumber(0, 30_000),
  }),
  servedSample: setting({
    name: "PROXIMAL_SERVED_SAMPLE",
    group: "answers",
    default: "1",
    unit: "",
    allowed: "0 to 1; 0: none",
    meaning:
      "Share of the next lists given out that are recorded as ItemsServed events, chosen by a hash of the selectionId. `proximal evaluate policy` needs them.",
    schema: share,
  }),
  readModelsWaitMs: setting({
    name: "PROXIMAL_READ_MODELS_WAIT_MS",
    group: "answers",
    default: "100",
    unit: "ms",
    allowed: "1 to 30000",
    meaning: "How long a query waits for the read models before it answers from its own memory, marked stale.",
    schema: wholeNumber(1, 30_000),
  }),
  rowCacheMegabytes: setting({
    name: "PROXIMAL_ROW_CACHE_MB",
    group: "answers",
    default: "128",
    unit: "MiB",
    allowed: "0 to 65536; 0: nothing is kept",
    meaning: "Memory for learners' rows, and answers made of them, in front of the read models.",
    schema: wholeNumber(0, 65_536),
  }),
  warmUpMs: setting({
    name: "PROXIMAL_WARM_UP_MS",
    group: "answers",
    default: "2000",
    unit: "ms",
    allowed: "0 to 60000; 0: none",
    meaning:
      "How long a start may take to read the rows that are asked for most into memory, before it takes requests.",
    schema: wholeNumber(0, 60_000),
  }),
  staleAfterSeconds: setting({
    name: "PROXIMAL_STALE_AFTER_S",
    group: "answers",
    default: "60",
    unit: "s",
    allowed: "1 to 86400",
    meaning: "A projection further behind than this makes /readyz fail.",
    schema: wholeNumber(1, 86_400),
  }),
  freshnessWithinMs: setting({
    name: "PROXIMAL_FRESHNESS_WITHIN_MS",
    group: "projections",
    default: "1000",
    unit: "ms",
    allowed: "1 to 3600000",
    meaning:
      "An answer is fresh in time where queries see its effect so soon after its durable commit. Another value begins the counts of the objective anew.",
    schema: wholeNumber(1, 3_600_000),
  }),
  freshnessObjective: setting({
    name: "PROXIMAL_FRESHNESS_OBJECTIVE",
    group: "projections",
    default: "0.99",
    unit: "",
    allowed: "0.5 to 0.99999",
    meaning: "Share of the answers of 30 days that is to be fresh in time; the rest is the error budget.",
    schema: z
      .string()
      .regex(/^0?\.[5-9]\d{0,4}$/)
      .transform(Number),
  }),
  partitions: setting({
    name: "PROXIMAL_PARTITIONS",
    group: "projections",
    default: "1",
    unit: "",
    allowed: "1 to 256",
    meaning:
      "Partitions of the learners for projection. After a change the next start makes new rows beside those that serve.",
    schema: wholeNumber(1, 256),
  }),
  snapshotIntervalSeconds: setting({
    name: "PROXIMAL_SNAPSHOT_INTERVAL_S",
    group: "projections",
    default: "300",
    unit: "s",
    allowed: "1 to 86400",
    meaning: "How often the read models in memory are saved, so that a start after a crash is short.",
    schema: wholeNumber(1, 86_400),
  }),
  jobsConcurrency: setting({
    name: "PROXIMAL_JOBS_CONCURRENCY",
    group: "jobs",
    default: "2",
    unit: "",
    allowed: "1 to 64",
    meaning: "Background jobs that one process works on at a time.",
    schema: wholeNumber(1, 64),
  }),
  replaysConcurrency: setting({
    name: "PROXIMAL_REPLAYS_CONCURRENCY",
    group: "jobs",
    default: "1",
    unit: "",
    allowed: "1 to 16",
    meaning:
      "Replays of analysts (exports, reports, what-if) that one process works on at a time, each in a process of its own at a low priority.",
    schema: wholeNumber(1, 16),
  }),
  replayRetentionDays: setting({
    name: "PROXIMAL_REPLAY_RETENTION_DAYS",
    group: "jobs",
    default: "30",
    unit: "days",
    allowed: "0 to 36500; 0 keeps them until they are removed",
    meaning: "Replays that ended so long ago are removed with their files by an hourly job.",
    schema: wholeNumber(0, 36_500),
  }),
  exportSecret: setting({
    name: "PROXIMAL_EXPORT_SECRET",
    group: "jobs",
    default: null,
    unit: "",
    allowed: "16 to 1000 characters",
    meaning:
      "Key of the pseudonyms in exports: the same key gives the same pseudonyms. Left out: one that is made once and kept beside the log.",
    secret: "all",
    schema: z.string().min(16).max(1000).optional(),
  }),
  scaleUtilisation: setting({
    name: "PROXIMAL_SCALE_UTILISATION",
    group: "scaling",
    default: "0.95",
    unit: "",
    allowed: "0.05 to 0.95",
    meaning:
      "Share of what the busiest projector or worker of jobs can do that arrivals may take: what is planned for.",
    schema: share.refine((n) => n >= 0.05 && n <= 0.95),
  }),
  scaleRequestsUtilisation: setting({
    name: "PROXIMAL_SCALE_REQUESTS_UTILISATION",
    group: "scaling",
    default: "0.8",
    unit: "",
    allowed: "0.05 to 0.95",
    meaning: "The same of `api` and `query`, whose requests may not wait.",
    schema: share.refine((n) => n >= 0.05 && n <= 0.95),
  }),
  scaleCatchUpSeconds: setting({
    name: "PROXIMAL_SCALE_CATCH_UP_S",
    group: "scaling",
    default: "60",
    unit: "s",
    allowed: "1 to 86400",
    meaning: "In which a backlog shall be gone.",
    schema: wholeNumber(1, 86_400),
  }),
  scaleRestartSeconds: setting({
    name: "PROXIMAL_SCALE_RESTART_S",
    group: "scaling",
    default: "20",
    unit: "s",
    allowed: "0 to 3600",
    meaning: "How long work stands still while it is dealt to other workers: what piles up then is planned for.",
    schema: wholeNumber(0, 3600),
  }),
  scaleStartSeconds: setting({
    name: "PROXIMAL_SCALE_START_S",
    group: "scaling",
    default: "60",
    unit: "s",
    allowed: "0 to 3600",
    meaning:
      "How long a worker takes from being asked for to taking part: what each day brings at this time is prepared for so much before.",
    schema: wholeNumber(0, 3600),
  }),
  scaleCoolDownSeconds: setting({
    name: "PROXIMAL_SCALE_COOL_DOWN_S",
    group: "scaling",
    default: "60",
    unit: "s",
    allowed: "0 to 86400",
    meaning: "Between two changes of the workers of a role.",
    schema: wholeNumber(0, 86_400),
  }),
  scaleDownAfterSeconds: setting({
    name: "PROXIMAL_SCALE_DOWN_AFTER_S",
    group: "scaling",
    default: "120",
    unit: "s",
    allowed: "0 to 604800",
    meaning: "How long fewer workers must have been enough, all the time, before one is taken away.",
    schema: wholeNumber(0, 604_800),
  }),
  scaleWorkersMax: setting({
    name: "PROXIMAL_SCALE_WORKERS_MAX",
    group: "scaling",
    default: "32",
    unit: "",
    allowed: "1 to 10000",
    meaning: "Workers of a role at the most.",
    schema: wholeNumber(1, 10_000),
  }),
  logLevel: setting({
    name: "LOG_LEVEL",
    group: "logging",
    default: "info",
    unit: "",
    allowed: logLevels.join(", "),
    meaning: "What is written to the log of the process.",
    schema: z.enum(logLevels),
  }),
  logFormat: setting({
    name: "LOG_FORMAT",
    group: "logging",
    default: "auto",
    unit: "",
    allowed: "auto, text or json",
    meaning: "auto: text on a terminal, else JSON lines.",
    schema: z.enum(["auto", "text", "json"]),
  }),
  traceSample: setting({
    name: "PROXIMAL_TRACE_SAMPLE",
    group: "logging",
    default: "0",
    unit: "",
    allowed: "0 to 1; 0: no traces",
    meaning:
      "Share of the requests that are traced with OpenTelemetry, through the log to the rows. A request that comes with a trace context is traced where its caller says so.",
    schema: share,
  }),
  traceEndpoint: setting({
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    group: "logging",
    default: "http://localhost:4318",
    unit: "",
    allowed: "http://host:port or https://host:port",
    meaning: "Collector of traces that takes OTLP over HTTP; /v1/traces is added.",
    secret: "url",
    schema: z.string().refine((text) => isUrlOf(["http:", "https:"], text)),
  }),
  traceHeaders: setting({
    name: "OTEL_EXPORTER_OTLP_HEADERS",
    group: "logging",
    default: "",
    unit: "",
    allowed: "name=value,name=value,…; values percent-encoded",
    meaning: "Headers of what is sent to the collector: its keys.",
    secret: "all",
    schema: headers,
  }),
  serverUrl: setting({
    name: "PROXIMAL_URL",
    group: "command line",
    default: null,
    unit: "",
    allowed: "http://host:port",
    meaning: "Server that lag, parked and rebuild talk to. Left out: HOST and PORT.",
    secret: "url",
    schema: urlOf(["http:", "https:"]),
  }),
  apiKey: setting({
    name: "PROXIMAL_API_KEY",
    group: "command line",
    default: null,
    unit: "",
    allowed: "an API key with the scope operator",
    meaning: "Key for lag, parked and rebuild. Left out: they make one for ten minutes in the key store.",
    secret: "all",
    schema: z
      .string()
      .regex(/^pxl_\S+$/)
      .optional(),
  }),
  debug: setting({
    name: "PROXIMAL_DEBUG",
    group: "command line",
    default: "off",
    unit: "",
    allowed: "on or off",
    meaning: "Print the stack of an error.",
    schema: onOff,
  }),
} as const;

export type SettingKey = keyof typeof settings;

/** Read by the tests and the launcher only; known here so that nobody is warned about them. */
export const otherKnownNames = [
  "PROXIMAL_REQUIRE_ENGINES",
  "PROXIMAL_SPANISH_CSV",
  "PROXIMAL_EVENTSTOREDB_URL",
  "PROXIMAL_PYARROW_PYTHON",
] as const;
