// long because: it is one table, and each setting has eight lines of it
import { z } from "zod";

/** One setting: everything `doctor`, `--help` and docs/configuration.md say of it stands here, and its check. */
export interface Setting<Schema extends z.ZodType = z.ZodType> {
  /** Environment variable. */
  readonly name: string;
  readonly group: "server" | "engines" | "ingest" | "answers" | "projections" | "logging" | "command line";
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

const urlOf = (protocols: readonly string[]) =>
  z
    .string()
    .refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol))
    .optional();

const listOf = z.string().transform((text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== ""),
);

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export const settings = {
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
    allowed: "origins separated by commas, or *",
    meaning: "Web pages of these origins may call the API from a browser. Empty: none.",
    schema: listOf,
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
    meaning: "Event log in PostgreSQL instead of the embedded SQLite.",
    secret: "url",
    schema: urlOf(["postgres:", "postgresql:"]),
  }),
  redisUrl: setting({
    name: "REDIS_URL",
    group: "engines",
    default: null,
    unit: "",
    allowed: "redis://host:port or rediss://user:password@host:port",
    meaning: "Read models in Redis instead of in memory.",
    secret: "url",
    schema: urlOf(["redis:", "rediss:"]),
  }),
  model: setting({
    name: "PROXIMAL_MODEL",
    group: "projections",
    default: "lr-lite",
    unit: "",
    allowed: "lr-lite or elo",
    meaning:
      "Learner model that predicts the next response. After a change the next start makes new rows beside those that serve.",
    schema: z.enum(["lr-lite", "elo"]),
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
    default: "2000",
    unit: "events",
    allowed: "1 to 10000",
    meaning: "Largest group commit.",
    schema: wholeNumber(1, 10_000),
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
  readModelsWaitMs: setting({
    name: "PROXIMAL_READ_MODELS_WAIT_MS",
    group: "answers",
    default: "250",
    unit: "ms",
    allowed: "1 to 30000",
    meaning: "How long a query waits for the read models before it answers from its own memory, marked stale.",
    schema: wholeNumber(1, 30_000),
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
  projector: setting({
    name: "PROXIMAL_PROJECTOR",
    group: "projections",
    default: "on",
    unit: "",
    allowed: "on or off (off only with REDIS_URL)",
    meaning: "Whether this process folds the log into the read models. Where it is off, another process has to.",
    schema: onOff,
  }),
  trainer: setting({
    name: "PROXIMAL_TRAINER",
    group: "projections",
    default: "on",
    unit: "",
    allowed: "on or off",
    meaning: "Whether this process trains the shared weights. One process of a deployment does.",
    schema: onOff,
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
export const otherKnownNames = ["PROXIMAL_REQUIRE_ENGINES", "PROXIMAL_SPANISH_CSV"] as const;
