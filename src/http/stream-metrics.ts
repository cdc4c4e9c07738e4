import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** What became of a batch of messages. */
export interface StreamObservation {
  readonly destination: string;
  readonly messages: number;
  readonly durationMs: number;
  /** Name of the error; null where it went well. */
  readonly error: string | null;
}

export interface StreamMetrics {
  sent(observation: StreamObservation): void;
  processed(observation: StreamObservation): void;
  /** Partitions that are this process's now. */
  owned(destination: string, partitions: number): void;
  register(registry: Registry): void;
}

/** Seconds; a batch of messages is acknowledged in some milliseconds, and folded in some more. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const system = { messaging_system: "kafka" } as const;

/** Kafka under OpenTelemetry's names: the relay sends, projectors process. */
export function createStreamMetrics(): StreamMetrics {
  const unregistered = { registers: [] };
  const labelNames = ["messaging_system", "messaging_destination_name", "error_type"] as const;
  const sending = new Histogram({
    ...{ ...unregistered, labelNames, buckets: durationBuckets },
    name: "messaging_client_operation_duration_seconds",
    help: "Time until a batch of messages was acknowledged by the brokers; error_type is empty where it was",
  });
  const processing = new Histogram({
    ...{ ...unregistered, labelNames, buckets: durationBuckets },
    name: "messaging_process_duration_seconds",
    help: "Time until the effect of a batch of messages was stored; error_type is empty where it was",
  });
  const sentMessages = new Counter({
    ...{ ...unregistered, labelNames },
    name: "messaging_client_sent_messages_total",
    help: "Messages given to the brokers",
  });
  const consumedMessages = new Counter({
    ...{ ...unregistered, labelNames },
    name: "messaging_client_consumed_messages_total",
    help: "Messages taken from the brokers",
  });
  const owned = new Gauge({
    ...{ ...unregistered, labelNames: ["messaging_system", "messaging_destination_name"] as const },
    name: "messaging_consumer_partitions",
    help: "Partitions that the group has given to this process",
  });
  const observing =
    (durations: typeof sending, messages: typeof sentMessages) =>
    ({ destination, messages: count, durationMs, error }: StreamObservation): void => {
      const labels = { ...system, messaging_destination_name: destination, error_type: error ?? "" };
      durations.observe(labels, durationMs / 1000);
      messages.inc(labels, count);
    };
  return {
    sent: observing(sending, sentMessages),
    processed: observing(processing, consumedMessages),
    owned: (destination, partitions) => owned.set({ ...system, messaging_destination_name: destination }, partitions),
    register(registry) {
      for (const metric of [sending, processing, sentMessages, consumedMessages, owned]) {
        registry.registerMetric(metric as Gauge);
      }
    },
  };
}
