import { describe, expect, it } from "vitest";
import { BadConfig, loadConfig, settingEntries } from "./config.ts";

/** Values that are wrong for one kind of setting or another. */
const wrong = [
  ...["-1", "1.5", "99999999999999", "nonsense!", "a b", "\n", "http://[", "%zz=%zz", "gopher://h"],
  ...["x".repeat(2_000), "postgres://me:s3cret@h/d?x", "redis+cluster://me:s3cret@", "yes\nno"],
];

/** A path is what it is: whether it is there is found where it is used, which names the setting too. */
const anyText = ["PROXIMAL_DATA", "PROXIMAL_ARCHIVE", "KAFKA_TLS_CA", "KAFKA_TLS_CERT", "KAFKA_TLS_KEY"];

function linesOf(name: string, value: string): readonly string[] {
  try {
    loadConfig({ [name]: value });
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(BadConfig);
    // What does not go with the other settings is another matter.
    return (error as Error).message.split("\n").filter((line) => line.startsWith(`${name}=`));
  }
}

describe.each(settingEntries().map(([, setting]) => setting))("$name", (setting) => {
  const { name, allowed, secret } = setting;
  const refused = wrong.flatMap((value) => linesOf(name, value).map((line) => ({ value, line })));

  it("refuses what is not allowed, in one line: its name, what was given, what is allowed", () => {
    if (anyText.includes(name)) return expect(refused).toEqual([]);
    expect(refused).not.toEqual([]);
    for (const { value, line } of refused) {
      expect(line).toMatch(new RegExp(`^${name}=.+ is not allowed: `));
      expect(line.endsWith(` is not allowed: ${allowed}`)).toBe(true);
      expect(line.length).toBeLessThan(700);
      if (secret === undefined && value.length < 200) expect(line).toContain(JSON.stringify(value));
    }
  });

  it("shows no secret in that line", () => {
    if (secret === undefined) return;
    for (const { line } of refused) {
      if (secret === "all") expect(line).toBe(`${name}=… is not allowed: ${allowed}`);
      else expect(line.replace(allowed, "")).not.toMatch(/s3cret|nonsense|x{9}/);
    }
  });

  it("allows its default", () => {
    const { default: given } = setting;
    expect(setting.schema.safeParse(given ?? undefined).success).toBe(true);
  });

  it("says what it is in full sentences", () => {
    expect(setting.meaning).toMatch(/\S{3}.*[.)]$/);
    expect(allowed).not.toBe("");
  });
});
