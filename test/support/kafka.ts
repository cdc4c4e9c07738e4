import { afterAll } from "vitest";
import { orSkip } from "./engines.ts";
import { type KafkaServerForTests, type KafkaServerOptions, startKafka } from "./kafka-server.ts";

/** A Kafka broker for this file alone, stopped after its last test; null, with a printed reason, where there is none. */
export async function privateKafka(options?: KafkaServerOptions): Promise<KafkaServerForTests | null> {
  const kafka = await startKafka(options);
  if ("skip" in kafka) return orSkip(kafka);
  afterAll(() => kafka.stop());
  return kafka;
}
