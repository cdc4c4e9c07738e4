import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kafkaAnswers, kafkaCommand, kafkaFiles } from "../../infra/local/kafka.ts";
import { makeCertificates } from "./certificates.ts";
import { temporaryFolder } from "./folders.ts";
import { freePort, type Skip, startServer, untilReady } from "./servers.ts";

export interface KafkaServerForTests {
  /** host:port */
  readonly brokers: string;
  /** The same broker by TLS and SASL, where that was asked for. */
  readonly secured: SecuredKafka | null;
  /** Ends it (SIGKILL: as a power cut of the process would) and starts it again on the same data and port. */
  restart(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Ends it (SIGKILL) and leaves it so, until `start`. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** SIGSTOP: it hangs. SIGCONT: it goes on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  stop(): Promise<void>;
}

export interface SecuredKafka {
  /** host:port */
  readonly brokers: string;
  readonly username: string;
  readonly password: string;
  /** Paths of PEM files: the authority that signed the broker's certificate, and a client's certificate and key. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface KafkaServerOptions {
  /** It listens on a second port too, where clients have to show a certificate and to say who they are. */
  readonly secured?: boolean;
  /** The port that clients are told of, where it is not its own: of a line to it. Given its own, which is free until it starts. */
  readonly through?: (port: number) => Promise<number>;
}

/** A Kafka broker on a free port of 127.0.0.1 with a folder of its own. */
export async function startKafka(options: KafkaServerOptions = {}): Promise<KafkaServerForTests | Skip> {
  const files = await kafkaFiles();
  if ("missing" in files) return { skip: files.missing };
  const folder = temporaryFolder();
  const [port, controllerPort] = [await freePort(), await freePort()];
  const secured = options.secured === true ? await securedListener(folder) : null;
  const told = (await options.through?.(port)) ?? port;
  const settings = {
    ...(told === port ? {} : { "advertised.listeners": `PLAINTEXT://127.0.0.1:${told}` }),
    ...(secured === null ? {} : securitySettings(secured, { port, controllerPort })),
    // So that a killed worker's partitions are another's within a test's patience.
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "1",
  };
  const users = secured === null ? {} : { [secured.username]: secured.password };
  const { program, args } = await kafkaCommand({ files, folder, port, controllerPort, settings, heapMb: 256, users });
  const brokers = `127.0.0.1:${port}`;
  let runs = 0;

  async function start(): Promise<ReturnType<typeof startServer>> {
    runs += 1;
    const scratch = join(folder, `run-${runs}`);
    mkdirSync(scratch);
    const server = startServer(program, args, scratch, "SIGTERM", { cwd: folder });
    try {
      await untilReady(server, () => kafkaAnswers(port));
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  let server = await start();
  async function end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const ended = new Promise((resolve) => server.child.on("close", resolve));
    server.child.kill(signal);
    await ended;
  }
  return {
    brokers,
    secured,
    async restart(signal) {
      await end(signal);
      await server.stop();
      server = await start();
    },
    signal: (signal) => void server.child.kill(signal),
    kill: () => end("SIGKILL"),
    async start() {
      await server.stop();
      server = await start();
    },
    stop: () => server.stop(),
  };
}

async function securedListener(folder: string): Promise<SecuredKafka> {
  const { ca, server, client } = await makeCertificates(folder);
  // Kafka wants both in one file.
  writeFileSync(keystoreOf(ca), readFileSync(server.key, "utf8") + readFileSync(server.cert, "utf8"));
  const brokers = `127.0.0.1:${await freePort()}`;
  return { brokers, username: "proximal", password: "of-this-test-only", ca, ...client };
}

const keystoreOf = (ca: string): string => `${ca}.keystore`;

function securitySettings(
  { brokers, username, password, ca }: SecuredKafka,
  ports: { port: number; controllerPort: number },
) {
  const { port, controllerPort } = ports;
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";`;
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  return {
    listeners: `PLAINTEXT://127.0.0.1:${port},SASL_SSL://${brokers},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port},SASL_SSL://${brokers}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": keystoreOf(ca),
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": ca,
    "listener.name.sasl_ssl.ssl.client.auth": "required",
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
    "listener.name.sasl_ssl.plain.sasl.jaas.config": plain,
    "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": scram,
  };
}
