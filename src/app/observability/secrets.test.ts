import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { loadConfig, maskedUrl } from "../config.ts";
import { createLogger } from "./logging.ts";
import { scrubber } from "./secrets.ts";

const apiKey = `pxl_0123456789abcdef_${"0123456789abcdef".repeat(4)}`;
const environment = {
  DATABASE_URL: "postgres://joe:hunter%2Ftwo@db/x?sslpassword=hunter-three",
  REDIS_URL: "redis+sentinel://:hunter:four@a:1,b:2,c:3/name/3",
  KAFKA_SASL_PASSWORD: 'hunter"five',
  PROXIMAL_EXPORT_SECRET: "hunter-hunter-six",
  OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Bearer%20hunter-seven,x-key=hunter.eight",
  PROXIMAL_TRACE_SAMPLE: "1",
};
const secrets = [
  ...["hunter%2Ftwo", "hunter/two", "hunter-three", "hunter:four", 'hunter"five'],
  ...["hunter-hunter-six", "hunter-seven", "hunter.eight", apiKey],
];

describe("secrets of the settings", () => {
  it.each([...secrets, 'hunter\\"five'])("%s is taken out of any text", (secret) => {
    expect(scrubber({ environment })(`a ${secret} b`)).not.toContain("hunter");
    expect(scrubber({ environment })(`a ${secret} b`)).toMatch(/^a (.*redacted\].*) b$/);
  });

  it("are taken out of lines of the log, wherever they stand", () => {
    const lines: string[] = [];
    const output = new Writable({
      write(line, _encoding, done) {
        lines.push(String(line));
        done();
      },
    });
    const { config } = loadConfig({
      ...environment,
      KAFKA_SASL_MECHANISM: "plain",
      KAFKA_SASL_USERNAME: "me",
      ...{ KAFKA_BROKERS: "k:1" },
    });
    const log = createLogger({ ...config, logLevel: "trace", logFormat: "json" }, output);
    for (const secret of secrets) {
      const err = Object.assign(new Error(`WRONGPASS ${secret}`), { command: { name: "auth", args: [secret] } });
      log.warn({ err, deep: { er: [secret] }, [`field ${secret}`]: 1 }, `said ${secret}`);
    }
    expect(lines).toHaveLength(secrets.length);
    expect(lines.join("")).not.toMatch(/hunter|0123456789abcdef0123/);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: 40, err: { type: "Error" } });
  });

  it("leave a text without them as it is", () => {
    const text = '{"msg":"PostgreSQL at postgres://…@db/x","key":"[x]"}';
    expect(scrubber({ environment })(text)).toBe(text);
    expect(scrubber({ environment: {} })(text)).toBe(text);
  });
});

it("a password that ends the host of a URL too early is not shown", () => {
  for (const password of ["p/ss", "12#34", "1?2", "9/@"]) {
    expect(maskedUrl(`postgres://me:${password}@host:5432/db`)).toMatch(/^\(not a URL; in a password /);
  }
});
