import { readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { commandLine } from "../../../test/e2e/command-line.ts";
import { privateKafka } from "../../../test/support/kafka.ts";
import { kafkaSecurity } from "../../app/compose-stream.ts";
import { loadConfig } from "../../app/config.ts";
import { askKafka, type KafkaSecurity, openKafka } from "./kafka.ts";

const kafka = await privateKafka({ secured: true });
const silent = { debug() {}, info() {}, warn() {}, error() {} };

describe.skipIf(kafka === null)("Kafka behind TLS, where clients show a certificate and say who they are", () => {
  const secured = kafka?.secured ?? { brokers: "", username: "", password: "", ca: "", cert: "", key: "" };
  const brokers = [secured.brokers];
  const environment = {
    ...{ KAFKA_TLS: "on", KAFKA_TLS_CA: secured.ca, KAFKA_TLS_CERT: secured.cert, KAFKA_TLS_KEY: secured.key },
    ...{ KAFKA_SASL_USERNAME: secured.username, KAFKA_SASL_PASSWORD: secured.password },
  };
  const securityOf = (more: Record<string, string>): Promise<KafkaSecurity> =>
    kafkaSecurity(loadConfig({ ...environment, KAFKA_SASL_MECHANISM: "scram-sha-256", ...more }).config);

  test.each(["plain", "scram-sha-256"])("with %s: messages are sent and read, topics made", async (mechanism) => {
    const security = await securityOf({ KAFKA_SASL_MECHANISM: mechanism });
    const topic = `secured-${mechanism}`;
    const times = { sessionMs: 3_000, heartbeatMs: 300, restartMs: 50 };
    const stream = await openKafka({ brokers, security, topic, partitions: 1, log: silent, times });
    onTestFinished(() => stream.close());
    await stream.send([{ partition: 0, position: 7, prev: 0, event: null }]);
    const got: number[] = [];
    const consumption = stream.consume({
      assigned: async () => {},
      handle: async (_, messages) => void got.push(...messages.map(({ position }) => position)),
    });
    await expect.poll(() => got, { timeout: 30_000 }).toEqual([7]);
    await consumption.close();
  });

  test.each([
    ["another password", { KAFKA_SASL_PASSWORD: "guessed" }, /authentication|credentials/i],
    [
      "an authority that did not sign the broker's certificate",
      { KAFKA_TLS_CA: secured.cert },
      /certificate|self.signed/i,
    ],
  ])("is refused with %s, and says why", async (_, more, why) => {
    const asking = askKafka({ brokers, security: await securityOf(more), log: silent, deadlineMs: 10_000 });
    await expect(asking).rejects.toThrow(why);
  });

  test("is refused without a certificate of its own", async () => {
    const { tls: _, ...rest } = await securityOf({});
    const tls = { ca: readFileSync(secured.ca, "utf8") };
    await expect(askKafka({ brokers, security: { ...rest, tls }, log: silent, deadlineMs: 10_000 })).rejects.toThrow();
  });

  test("doctor asks by the same settings, and names a file that is not there", async () => {
    const asked = { ...environment, KAFKA_SASL_MECHANISM: "scram-sha-256", KAFKA_BROKERS: secured.brokers };
    const engines = { DATABASE_URL: "postgres://127.0.0.1:1/x", REDIS_URL: "redis://127.0.0.1:1" };
    const good = await commandLine({ ...asked, ...engines }).run("doctor");
    expect(good.stdout).toContain(`${secured.brokers}, one of 1`);
    const bad = await commandLine({ ...asked, ...engines, KAFKA_TLS_CA: "/no/such.pem" }).run("doctor");
    expect(bad.stdout).toContain("KAFKA_TLS_CA: ENOENT");
  });
});
