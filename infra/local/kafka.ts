/**
 * A real Apache Kafka on this machine, without containers: one broker that is its own controller (KRaft).
 * The tests start it (test/support/kafka.ts), and so does `npm run up`:
 *
 *     const files = await kafkaFiles();              // finds or fetches the jars; { missing } says what to install
 *     const { program, args } = await kafkaCommand({ files, folder, port, controllerPort });
 *     spawn(program, args, ...)                      // to stay; SIGTERM ends it well, and kill -9 loses nothing fsynced
 *
 * `folder` holds its data and stays as it is from start to start. Run as a program it only fetches: `node infra/local/kafka.ts`.
 */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mendTimer } from "../../src/adapters/event-stream/kafkajs-timer.ts";
import { cacheFolder } from "./programs.ts";

export interface KafkaFiles {
  readonly java: string;
  /** Folder of Kafka's jars. */
  readonly jars: string;
}

export interface KafkaServer {
  readonly files: KafkaFiles;
  /** For its settings and data; made where it is not there. */
  readonly folder: string;
  readonly port: number;
  readonly controllerPort: number;
  /** More settings of server.properties. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly heapMb?: number;
  /** Passwords by user, for SCRAM-SHA-256: put there when the folder is made. */
  readonly users?: Readonly<Record<string, string>>;
}

const pom = fileURLToPath(new URL("../kafka/pom.xml", import.meta.url));

/**
 * Java and the jars: those in PROXIMAL_KAFKA_HOME (its folder `libs`, as in Apache's own archive), else those fetched
 * before into the user's cache folder, else fetched now by Maven.
 */
export async function kafkaFiles(): Promise<KafkaFiles | { readonly missing: string }> {
  const java = inPath("java");
  if (java === null) return { missing: "Java is not installed (no java in PATH; Kafka needs 17 or newer)" };
  const home = process.env.PROXIMAL_KAFKA_HOME;
  if (home !== undefined) {
    const jars = join(home, "libs");
    return (await holdsJars(jars))
      ? { java, jars }
      : { missing: `PROXIMAL_KAFKA_HOME has no jars of Kafka in ${jars}` };
  }
  // Another pom.xml is another folder: nothing has to be thrown away when the version changes.
  const version = createHash("sha256")
    .update(await readFile(pom))
    .digest("hex")
    .slice(0, 12);
  const cache = cacheFolder();
  const jars = join(cache, `kafka-${version}`);
  if (await holdsJars(jars)) return { java, jars };
  const maven = inPath("mvn");
  if (maven === null) {
    return { missing: "Kafka is not here: install Maven (mvn), which fetches it, or set PROXIMAL_KAFKA_HOME" };
  }
  try {
    await fetchJars(maven, cache, jars);
    return { java, jars };
  } catch (error) {
    return { missing: `Kafka could not be fetched: ${String(error)}` };
  }
}

/** Writes the settings, prepares the folder at its first use, and gives the command that runs the broker. */
export async function kafkaCommand(server: KafkaServer): Promise<{ program: string; args: string[] }> {
  const { files, folder, heapMb = 512 } = server;
  const data = join(folder, "data");
  const properties = join(folder, "server.properties");
  await mkdir(folder, { recursive: true });
  await writeFile(properties, propertiesOf(server, data));
  const java = [
    `-Xmx${heapMb}m`,
    // One or two cores shared with all the rest: a quick start is worth more than the last bit of speed.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-cp",
    join(files.jars, "*"),
  ];
  if (!existsSync(join(data, "meta.properties"))) {
    const id = randomBytes(16).toString("base64url").replace(/^-/, "A");
    const users = Object.entries(server.users ?? {}).flatMap(([name, password]) => [
      "--add-scram",
      `SCRAM-SHA-256=[name=${name},password=${password}]`,
    ]);
    await run(files.java, [...java, "kafka.tools.StorageTool", "format", "-t", id, "-c", properties, ...users], folder);
  }
  return { program: files.java, args: [...java, "kafka.Kafka", properties] };
}

/** Rejects where no broker answers at this port of this machine. */
export async function kafkaAnswers(port: number): Promise<void> {
  const { Kafka, logLevel } = await import("kafkajs");
  mendTimer();
  const client = new Kafka({
    ...{ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING },
    ...{ connectionTimeout: 1000, requestTimeout: 3000, retry: { retries: 0 } },
  });
  const admin = client.admin();
  try {
    await admin.connect();
    await admin.describeCluster();
  } finally {
    await admin.disconnect();
  }
}

function propertiesOf({ port, controllerPort, settings }: KafkaServer, data: string): string {
  const all: Record<string, string | number> = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "controller.listener.names": "CONTROLLER",
    "log.dirs": data,
    // One broker cannot replicate its own topics.
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    // Topics are made with stated partitions and retention, never by a typing error.
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": 0,
    ...settings,
  };
  return `${Object.entries(all)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n")}\n`;
}

/** Into a folder of its own first, so that jars are there as a whole or not, whoever else fetches them now. */
async function fetchJars(maven: string, cache: string, jars: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const fetched = await mkdtemp(join(cache, "fetching-"));
  try {
    const args = ["-q", "-B", "-C", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${fetched}`];
    await run(maven, args, cache);
    await rename(fetched, jars).catch(async (error: unknown) => {
      if (!(await holdsJars(jars))) throw error;
    });
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
}

async function holdsJars(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  return names.some((name) => /^kafka_2\.13-.*\.jar$/.test(name));
}

function inPath(name: string): string | null {
  const names = process.platform === "win32" ? [`${name}.exe`, `${name}.cmd`] : [name];
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.flatMap((folder) => names.map((one) => join(folder, one))).find((path) => existsSync(path)) ?? null;
}

async function run(program: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk).slice(-5_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${output}`);
}

if (import.meta.main) {
  const files = await kafkaFiles();
  if ("missing" in files) {
    process.stderr.write(`${files.missing}\n`);
    process.exitCode = 1;
  } else {
    process.stdout.write(`${files.jars}\n`);
  }
}
