import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import { afterAll } from "vitest";
import { kafkaCommand, kafkaFiles } from "../../infra/local/kafka.ts";
import { mendTimer } from "../../src/adapters/event-stream/kafkajs-timer.ts";
import { orSkip } from "./engines.ts";
import { temporaryFolder } from "./folders.ts";
import { freePort, startServer, untilReady } from "./servers.ts";

export interface KafkaServerForTests {
  /** host:port */
  readonly brokers: string;
  /** Ends it (SIGKILL: as a power cut of the process would) and starts it again on the same data and port. */
  restart(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** SIGSTOP: it hangs. SIGCONT: it goes on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  stop(): Promise<void>;
}

/** A Kafka broker for this file alone, stopped after its last test; null, with a printed reason, where there is none. */
export async function privateKafka(): Promise<KafkaServerForTests | null> {
  const files = await kafkaFiles();
  if ("missing" in files) return orSkip({ skip: files.missing });
  const folder = temporaryFolder();
  const [port, controllerPort] = [await freePort(), await freePort()];
  const settings = {
    // So that a killed worker's partitions are another's within a test's patience.
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "1",
  };
  const { program, args } = await kafkaCommand({ files, folder, port, controllerPort, settings, heapMb: 256 });
  const brokers = `127.0.0.1:${port}`;
  let runs = 0;

  async function start(): Promise<ReturnType<typeof startServer>> {
    runs += 1;
    const scratch = join(folder, `run-${runs}`);
    mkdirSync(scratch);
    const server = startServer(program, args, scratch, "SIGTERM", { cwd: folder });
    try {
      await untilReady(server, () => answers(brokers));
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  let server = await start();
  const kafka: KafkaServerForTests = {
    brokers,
    async restart(signal) {
      const ended = new Promise((resolve) => server.child.on("close", resolve));
      server.child.kill(signal);
      await ended;
      await server.stop();
      server = await start();
    },
    signal: (signal) => void server.child.kill(signal),
    stop: () => server.stop(),
  };
  afterAll(() => kafka.stop());
  return kafka;
}

async function answers(brokers: string): Promise<void> {
  mendTimer();
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.describeCluster();
  } finally {
    await admin.disconnect();
  }
}
