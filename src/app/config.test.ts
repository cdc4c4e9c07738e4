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
    expect(config).toMatchObject({ host: "127.0.0.1", port: 3000, dataFolder: ".proximal", model: "lr-lite" });
    expect(config.databaseUrl).toBeUndefined();
    expect(config.corsOrigins).toEqual([]);
    expect(config.trainer).toBe(true);
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
    ["PROXIMAL_MODEL", "dkt", 'PROXIMAL_MODEL="dkt" is not allowed: lr-lite or elo'],
    ["HOST", "a b", 'HOST="a b" is not allowed: a host name or address; 0.0.0.0 for every network this machine is on'],
  ])("%s=%s is refused in one line", (name, value, line) => {
    expect(refused({ [name]: value })).toBe(line);
  });

  it("that cannot go together are refused", () => {
    expect(refused({ PROXIMAL_PROJECTOR: "off" })).toContain("PROXIMAL_PROJECTOR=off needs REDIS_URL");
    const { config } = loadConfig({ PROXIMAL_PROJECTOR: "off", REDIS_URL: "redis://127.0.0.1:6379" });
    expect(config.projector).toBe(false);
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
