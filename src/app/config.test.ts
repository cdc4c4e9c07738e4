import { describe, expect, it } from "vitest";
import { BadConfig, configurationMarkdown, editDistance, loadConfig, maskedUrl } from "./config.ts";

const refused = (environment: Record<string, string>): string => {
  try {
    loadConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(BadConfig);
    return (error as Error).message;
  }
  throw new Error("was not refused");
};

describe("settings", () => {
  it("have defaults that need no environment", () => {
    const { config, warnings } = loadConfig({});
    expect(config).toMatchObject({ host: "127.0.0.1", port: 3000, dataFolder: ".proximal", model: "lr-full" });
    expect(config.databaseUrl).toBeUndefined();
    expect(config.corsOrigins).toEqual([]);
    expect(config.role).toBe("all");
    expect(config.kafkaBrokers).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it("are taken from the environment, and the command line wins", () => {
    const { config } = loadConfig(
      { PORT: "4000", PROXIMAL_CORS_ORIGINS: "https://a.example, https://b.example" },
      { PORT: "0" },
    );
    expect(config.port).toBe(0);
    expect(config.corsOrigins).toEqual(["https://a.example", "https://b.example"]);
  });

  it("that are empty count as left out", () => {
    expect(loadConfig({ PORT: "", DATABASE_URL: "" }).config).toMatchObject({ port: 3000 });
  });

  it.each([
    ["PORT", "80a", 'PORT="80a" is not allowed: 0 to 65535; 0 picks a free one'],
    ["PORT", "65536", 'PORT="65536" is not allowed: 0 to 65535; 0 picks a free one'],
    ["PORT", "-1", 'PORT="-1" is not allowed: 0 to 65535; 0 picks a free one'],
    ["PROXIMAL_MODEL", "dkt", 'PROXIMAL_MODEL="dkt" is not allowed: lr-full, lr-lite or elo'],
    ["HOST", "a b", 'HOST="a b" is not allowed: a host name or address; 0.0.0.0 for every network this machine is on'],
  ])("%s=%s is refused in one line", (name, value, line) => {
    expect(refused({ [name]: value })).toBe(line);
  });

  it.each([
    [
      { PROXIMAL_ROLE: "api", REDIS_URL: "redis://r" },
      "PROXIMAL_ROLE=api needs DATABASE_URL: the embedded log belongs to",
    ],
    [{ PROXIMAL_ROLE: "query", DATABASE_URL: "postgres://p/x" }, "PROXIMAL_ROLE=query needs REDIS_URL: read models in"],
    [{ PROXIMAL_ROLE: "relay", DATABASE_URL: "postgres://p/x" }, "PROXIMAL_ROLE=relay needs KAFKA_BROKERS: there is"],
    [
      { PROXIMAL_ROLE: "jobs", DATABASE_URL: "postgres://p/x", REDIS_URL: "redis://r" },
      "PROXIMAL_ROLE=jobs needs JOBS_REDIS_URL: jobs in a process's own memory",
    ],
    [{ EVENTSTOREDB_URL: "esdb://h:2113" }, "EVENTSTOREDB_URL needs DATABASE_URL: blobs, API keys and snapshots"],
    [{ DATABASE_DIRECT_URL: "postgres://p/x" }, "DATABASE_DIRECT_URL needs DATABASE_URL"],
    [{ DATABASE_REPLICA_URL: "postgres://p/x" }, "DATABASE_REPLICA_URL needs DATABASE_URL"],
    [{ KAFKA_BROKERS: "h:9092", DATABASE_URL: "postgres://p/x" }, "KAFKA_BROKERS needs REDIS_URL"],
    [{ KAFKA_TLS_CA: "/ca.pem" }, "need KAFKA_TLS=on"],
    [{ KAFKA_TLS: "on", KAFKA_TLS_KEY: "/key.pem" }, "KAFKA_TLS_CERT and KAFKA_TLS_KEY go together"],
    [{ KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "me" }, "KAFKA_SASL_PASSWORD go together"],
    [{ PROXIMAL_ARCHIVE_AFTER_DAYS: "365" }, "PROXIMAL_ARCHIVE_AFTER_DAYS needs PROXIMAL_ARCHIVE"],
    [{ REDIS_URL: "redis://r/1", JOBS_REDIS_URL: "redis://r/1" }, "JOBS_REDIS_URL must not be REDIS_URL"],
    [{ PROXIMAL_DRAIN_MS: "500", PROXIMAL_STOP_TIMEOUT_MS: "400" }, "PROXIMAL_DRAIN_MS must be less than"],
  ])("that cannot go together are refused in one line: %j", (environment, line) => {
    const lines = refused(environment);
    expect(lines).toContain(line);
    expect(lines.split("\n")).toHaveLength(1);
  });

  it("name the engines of many machines", () => {
    const environment = {
      ...{ PROXIMAL_ROLE: "projector", DATABASE_URL: "postgres://p/x", KAFKA_BROKERS: "a:9092, b:9092" },
      ...{ REDIS_URL: "redis+cluster://me:pw@a:7000,b:7000", JOBS_REDIS_URL: "redis+sentinel://a:1,b:2,c:3/jobs/1" },
      EVENTSTOREDB_URL: "esdb://admin:pw@a:2113,b:2113,c:2113?tls=true",
    };
    const { config } = loadConfig(environment);
    expect(config).toMatchObject({ role: "projector", kafkaBrokers: ["a:9092", "b:9092"] });
    expect(refused({ ...environment, JOBS_REDIS_URL: environment.REDIS_URL })).toContain(
      "JOBS_REDIS_URL=redis+cluster://…",
    );
    expect(refused({ REDIS_URL: "redis+sentinel://a:1,b:2" })).toContain("REDIS_URL=redis+sentinel://a:1,b:2 is not");
    expect(refused({ KAFKA_BROKERS: "a" })).toContain("KAFKA_BROKERS=");
  });

  it("never print a secret", () => {
    const lines = refused({
      DATABASE_URL: "mysql://joe:hunter2@db/x?password=hunter3",
      PROXIMAL_API_KEY: "hunter4-hunter4-hunter4",
    });
    expect(lines).toContain("DATABASE_URL=mysql://…@db/x is not allowed: postgres://");
    expect(lines).toContain("PROXIMAL_API_KEY=… is not allowed");
    expect(lines).not.toMatch(/hunter[234]/);
    expect(maskedUrl("not a url hunter2")).toBe("(not a URL)");
    expect(maskedUrl("redis+sentinel://me:hunter5@a:1,b:2/name/3?x=hunter6")).toBe("redis+sentinel://…@a:1,b:2/name/3");
  });

  it("name every bad value, not only the first", () => {
    expect(refused({ PORT: "x", LOG_LEVEL: "loud" }).split("\n")).toHaveLength(2);
  });

  it("warn about a variable that is not one, with the nearest that is", () => {
    expect(loadConfig({ PROXIMAL_DATE: "x", OTHER: "y" }).warnings).toEqual([
      "PROXIMAL_DATE is not a setting of Proximal and does nothing; did you mean PROXIMAL_DATA?",
    ]);
    expect(editDistance("kitten", "sitting")).toBe(3);
  });

  it("are documented as they are", async () => {
    await expect(configurationMarkdown()).toMatchFileSnapshot("../../docs/configuration.md");
  });
});
