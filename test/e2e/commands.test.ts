import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandLine, Gathered } from "./command-line.ts";
import { root } from "./proximal.ts";

const sampleLog = join(root, "src/app/demo/sample-log.csv");

describe("help and wrong use", () => {
  test("--help names every command, and each teaches by examples", async () => {
    const cli = commandLine();
    const { code, stdout } = await cli.run("--help");
    expect(code).toBe(0);
    for (const name of [
      "serve",
      "import",
      "keys",
      "events",
      "lag",
      "parked",
      "rebuild",
      "evaluate",
      "simulate",
      "doctor",
    ]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, "m"));
      const help = await cli.run(name, "--help");
      expect(help.code).toBe(0);
      expect(help.stdout).toMatch(new RegExp(`^Usage: proximal ${name}`));
    }
    for (const argv of [
      ["serve"],
      ["import", "interactions"],
      ["keys", "create"],
      ["events", "export"],
      ["evaluate"],
      ["report"],
      ["simulate"],
    ]) {
      expect((await cli.run(...argv, "--help")).stdout).toContain("Examples:\n  $ proximal ");
    }
  });

  test("--version is that of package.json", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(await commandLine().run("--version")).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  test.each([
    [["serv"], "proximal: unknown command 'serv' (Did you mean serve?)\n"],
    [["keys", "list", "--jsn"], "proximal: unknown option '--jsn' (Did you mean --json?)\n"],
    [[], "proximal: which command? `proximal --help` lists them\n"],
    [["evaluate"], "proximal: evaluate: give a file, or --from-log\n"],
    [["parked", "retry"], "proximal: parked retry: give a learner's id, or --all\n"],
    [
      ["keys", "create", "--name", "x", "--scope", "king"],
      "proximal: --scope king: client, author, analyst, operator\n",
    ],
    [
      ["keys", "create", "--name", "x", "--expires-in", "soon"],
      "proximal: option '--expires-in <time>' argument 'soon' is invalid. a number and s, m, h or d, like 30d\n",
    ],
    [
      ["events", "export", "--type", "Nothing"],
      "proximal: --type Nothing: there are InteractionRecorded, ItemPublished, ItemRevised, ItemRetired, SkillDefined, SkillRetired, TrackDefined, TrackRetired, ModelPublished, ItemsServed\n",
    ],
  ])("%j exits with 64: %s", async (argv, stderr) => {
    expect(await commandLine().run(...argv)).toMatchObject({ code: 64, stdout: "", stderr });
  });

  test("a bad setting stops every command in one line; an unknown one is warned about", async () => {
    expect(await commandLine({ PORT: "lots" }).run("keys", "list")).toMatchObject({
      code: 1,
      stderr: 'proximal: PORT="lots" is not allowed: 0 to 65535; 0 picks a free one\n',
    });
    expect((await commandLine({ PROXIMAL_MODELL: "elo" }).run("keys", "list")).stderr).toBe(
      "proximal: warning: PROXIMAL_MODELL is not a setting of Proximal and does nothing; did you mean PROXIMAL_MODEL?\n",
    );
  });
});

describe("keys", () => {
  test("are made, listed without the secret, and revoked", async () => {
    const cli = commandLine();
    const made = await cli.run(
      "keys",
      "create",
      "--name",
      "web",
      "--scope",
      "client",
      "--scope",
      "analyst",
      "--expires-in",
      "30d",
      "--json",
    );
    expect(made.json).toMatchObject({ name: "web", scopes: ["client", "analyst"], revokedAt: null });
    expect(made.json.key).toMatch(/^pxl_[0-9a-f]{16}_[0-9a-f]{64}$/);
    expect(Date.parse(made.json.expiresAt) - Date.parse(made.json.createdAt)).toBe(30 * 86_400_000);
    const listed = await cli.run("keys", "list");
    expect(listed.stdout).toMatch(new RegExp(`^${made.json.id} +web +client,analyst +\\S+ +until `, "m"));
    expect(listed.stdout).not.toContain(made.json.key.slice(-20));
    expect(await cli.run("keys", "revoke", made.json.id)).toMatchObject({
      code: 0,
      stdout: `revoked ${made.json.id}\n`,
    });
    expect((await cli.run("keys", "list")).stdout).toContain("revoked ");
    const plain = await cli.run("keys", "create", "--name", "app");
    expect(plain.stdout).toMatch(/^pxl_\S+\n\nid \S+, may do: client, does not expire\n/);
  });

  test("an unknown id is refused", async () => {
    const { code, stderr } = await commandLine().run("keys", "revoke", "nope");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "proximal: there is no key nope; `proximal keys list` shows all (an id, not the key itself)\n",
    });
  });
});

describe("events", () => {
  test("are exported with filters, and from where the last export ended", async () => {
    const cli = commandLine();
    const rows = Array.from({ length: 1200 }, (_, i) => `u${i % 3},i${i % 2},1`).join("\n");
    await cli.run("import", "interactions", cli.file("a.csv", `user_id,item_id,correct\n${rows}\n`));
    const lines = async (...more: string[]) => {
      const { stdout, stderr } = await cli.run("events", "export", ...more);
      return { stderr, events: stdout.split("\n").flatMap((l) => (l === "" ? [] : [JSON.parse(l)])) };
    };
    const all = await lines();
    expect(all.events.map((e) => e.position)).toEqual(Array.from({ length: 1202 }, (_, i) => i + 1));
    expect(all.stderr).toBe("1,202 events, up to position 1202; later: --after 1202\n");
    const half = await lines("--limit", "700");
    expect(half.stderr).toBe("700 events, up to position 700; later: --after 700\n");
    expect((await lines("--after", "700")).events).toEqual(all.events.slice(700));
    expect((await lines("--category", "item")).events.map((e) => e.stream)).toEqual(["item-i0", "item-i1"]);
    const ofOne = await lines("--learner", "u1");
    expect(ofOne.events.map((e) => e.revision)).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
    expect((await lines("--after", "5000")).events).toEqual([]);
  });

  test("tail follows until Ctrl-C", async () => {
    const cli = commandLine();
    await cli.run("keys", "list");
    const controller = new AbortController();
    const stdout = new Gathered();
    const tail = cli.runWith(
      { signal: controller.signal, stdout },
      "events",
      "tail",
      "--after",
      "0",
      "--type",
      "InteractionRecorded",
    );
    await cli.run("import", "interactions", cli.file("a.csv", "user_id,item_id,correct\nann,i,1\nann,i,0\n"));
    while (stdout.text.split("\n").length < 3) await new Promise((done) => setTimeout(done, 10));
    controller.abort();
    expect((await tail).code).toBe(0);
    expect(
      stdout.text
        .trim()
        .split("\n")
        .map((l) => JSON.parse(l).data.correct),
    ).toEqual([true, false]);
  });
});

describe("evaluate", () => {
  test("measures a file and the event log, by text, JSON and HTML", { timeout: 180_000 }, async () => {
    const cli = commandLine();
    const html = join(cli.folder, "report.html");
    const text = await cli.run("evaluate", sampleLog, "--html", html);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain("Model lr-full, protocol prequential");
    expect(text.stdout).toContain(`report: ${html}`);
    expect(readFileSync(html, "utf8")).toContain("<svg");
    const elo = await cli.run("evaluate", sampleLog, "--model", "elo", "--json");
    expect(elo.json).toMatchObject({ model: "elo", answersRead: 4700, learners: 30 });
    await cli.run("import", "interactions", sampleLog);
    const fromLog = await cli.run("evaluate", "--from-log", "--model", "elo", "--json");
    expect(fromLog.json).toMatchObject({ log: "the event log", order: "as_given", answersRead: 4700 });
    // The very same answers in the same order.
    expect(fromLog.json.metrics.auc).toBeCloseTo(elo.json.metrics.auc, 10);
    const frozen = await cli.run("evaluate", sampleLog, "--protocol", "frozen", "--json");
    expect(frozen.json).toMatchObject({ protocol: "frozen", split: "of_the_log" });
  });

  test("leaves bad rows out and says so; refuses a file without its columns, and an empty log", async () => {
    const cli = commandLine();
    const rows = "user_id,item_id,correct\na,1,1\na,2,7\nb,1,0\n";
    const partly = await cli.run("evaluate", cli.file("a.csv", rows), "--json");
    expect(partly.code).toBe(2);
    expect(partly.json.answersRead).toBe(2);
    expect(partly.stderr).toMatch(/a\.csv: line 3, column correct: "7" is not .*; left out\n.*1 rows left out/);
    const wrong = await cli.run("evaluate", cli.file("b.csv", "who,what\n1,2\n"));
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/^proximal: \S+b\.csv: line 1/);
    const empty = await cli.run("evaluate", "--from-log");
    expect(empty).toMatchObject({ code: 1, stderr: "proximal: the event log: there are no answers to evaluate on\n" });
  });
});

describe("doctor", () => {
  test("finds nothing wrong with the defaults, and does not leave anything behind", async () => {
    const cli = commandLine({ PORT: "0" });
    const { code, stdout } = await cli.run("doctor");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {4}Node {9}Node 2\d\.\d+\.\d+, SQLite 3\./);
    expect(stdout).toContain("ready to start");
    expect(existsSync(join(cli.folder, "data", `.doctor-${process.pid}`))).toBe(false);
  });

  test("says what is wrong and what to do", async () => {
    const nobody = "127.0.0.1:9";
    const cli = commandLine({
      PORT: "0",
      DATABASE_URL: `postgres://me:secret@${nobody}/x`,
      REDIS_URL: `redis://${nobody}`,
    });
    const { code, json, stdout } = await cli.run("doctor", "--json");
    expect(code).toBe(1);
    expect(json.ok).toBe(false);
    const failed = json.checks.filter((c: { result: string }) => c.result === "fail");
    expect(failed.map((c: { what: string; advice: string }) => [c.what, c.advice])).toEqual([
      ["event log", "start it, or correct DATABASE_URL"],
      ["read models", "start it, or correct REDIS_URL"],
    ]);
    expect(stdout).not.toContain("secret");
    const settings = await commandLine({ LOG_LEVEL: "loud" }).run("doctor");
    expect(settings.code).toBe(1);
    expect(settings.stdout).toMatch(/^fail {2}settings {5}LOG_LEVEL="loud" is not allowed: trace, /m);
  });
});

describe("tracks", () => {
  test("list, show, and the versions of a policy", async () => {
    const cli = commandLine();
    expect((await cli.run("tracks", "list")).stdout).toBe("no track is defined\n");
    const importTrack = (policy: object) => {
      const file = cli.file("track.json", JSON.stringify([{ trackId: "t", title: "Sums", policy }]));
      return cli.run("import", "tracks", file);
    };
    expect((await importTrack({ targetSuccess: 0.7 })).code).toBe(0);
    expect((await importTrack({ targetSuccess: 0.7, exposure: { timesMax: 3 } })).code).toBe(0);
    const refused = await importTrack({ masteryThreshold: 0.6 });
    expect([refused.code, refused.stdout + refused.stderr]).toEqual([
      2,
      expect.stringContaining("prerequisiteThreshold"),
    ]);
    expect((await cli.run("tracks", "list")).stdout).toBe("track  revision  title\nt             2  Sums\n");
    const { stdout } = await cli.run("tracks", "show", "t", "--versions");
    expect(stdout).toMatch(/^Sums \(t@2\)\n {2}targetSuccess: 0\.7\n {2}masteryThreshold: 0\.95\n/);
    expect(stdout).toMatch(/^t@2 .* exposure\.timesMax: 3$/m);
    expect((await cli.run("tracks", "show", "t", "--json")).json).toMatchObject({ policyVersion: "t@2" });
    expect(await cli.run("tracks", "show", "u")).toMatchObject({
      ...{ code: 1, stderr: "proximal: tracks show: no track u; `proximal tracks list` has them\n" },
    });
  });
});

describe("operators' commands without a server", () => {
  test.each([[["lag"]], [["parked", "list"]], [["parked", "retry", "ann"]], [["rebuild", "learners"]]])(
    "%j says what to do",
    async (argv) => {
      const port = await freePort();
      const { code, stderr } = await commandLine({ PORT: String(port) }).run(...argv);
      expect(code).toBe(1);
      expect(stderr).toBe(
        `proximal: no answer from http://127.0.0.1:${port}: nothing listens there; start it with \`proximal serve\`, or set PROXIMAL_URL\n`,
      );
    },
  );
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
