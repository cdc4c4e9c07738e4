import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Wanted } from "./arguments.ts";
import type { BenchCase } from "./case.ts";
import { measuring } from "./measure.ts";
import { endAll, startedProximals } from "./processes.ts";
import { profileTable, readProfile } from "./profile-reader.ts";
import { figure } from "./report.ts";

const root = join(import.meta.dirname, "../..");
const shownOfEach = 25;
/** Processes that did less than this share of the work are named only. */
const leastShare = 0.05;

/** Profiles every Proximal during one round of a case, ours alone, and prints where its main thread's time (or memory) went. */
export async function profileCase(wanted: Wanted, say: (line: string) => void): Promise<void> {
  const [one] = wanted.cases;
  if (one === undefined) throw new Error("--profile takes the name of a case");
  const folder = join(root, "load-tests/results/local", `profile-${one.name}-${Date.now()}`);
  mkdirSync(folder, { recursive: true });
  const hook = join(import.meta.dirname, "profile-hook.ts");
  process.env.BENCH_PROFILE = `${wanted.heap ? "heap" : "cpu"}:${folder}`;
  process.env.BENCH_NODE_FLAGS = `${process.env.BENCH_NODE_FLAGS ?? ""} --import=${hook}`.trim();
  const scale = { scale: wanted.scale, seconds: wanted.seconds ?? 10, rounds: wanted.rounds ?? 1 };
  await measuring(scale, say)(oursAlone(one));
  // A process writes its profile when it ends.
  await endAll();
  const profiles = readdirSync(folder)
    .map((name) => ({ name, profile: readProfile(JSON.parse(readFileSync(join(folder, name), "utf8")), root) }))
    .sort((a, b) => b.profile.total - a.profile.total);
  const most = profiles[0]?.profile.total ?? 0;
  for (const { name, profile } of profiles) {
    console.log(`\n## ${name}: ${figure(profile.total)} ${profile.unit}\n`);
    if (profile.total >= leastShare * most) console.log(profileTable(profile, shownOfEach));
  }
  say(`profiles, for Chrome's DevTools or speedscope.app: ${folder}`);
}

/** The case without its limit. The first round that counts begins the profile of what runs by then; warming up is not in it. */
function oursAlone(one: BenchCase): BenchCase {
  return {
    ...one,
    async prepare(setting) {
      const prepared = await one.prepare(setting);
      return {
        ...prepared,
        limit: null,
        ours(round) {
          if (round.number === 0) for (const { pid } of startedProximals()) process.kill(pid, "SIGUSR2");
          return prepared.ours(round);
        },
      };
    },
  };
}
