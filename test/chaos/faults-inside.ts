/**
 * Loaded into each process of Proximal before anything else (`--import`): its clock can be set, and its names can stop
 * resolving, while it runs. What holds now stands in the file that CHAOS_FAULTS names.
 *
 * The clock is what JavaScript sees of it: Date. Timers and performance.now go on, as they do where an administrator, or
 * a time server, sets the clock of a machine. Names are those of `.chaos.test`; all are this machine.
 */
import dns from "node:dns";
import { readFileSync } from "node:fs";
import { type FaultsInside, none, unansweredMs } from "./faults-inside-file.ts";

const file = process.env.CHAOS_FAULTS ?? "";
const RealDate = Date;
const realLookup = dns.lookup;
let faults: FaultsInside = none;

function look(): void {
  try {
    faults = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // It is being made.
  }
}

const now = (): number => RealDate.now() + faults.clockMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
});

type Answer = (error: Error | null, address?: unknown, family?: number) => void;

/** As dns.lookup: net.connect, and so every client, asks it by this name. */
function lookup(hostname: string, ...rest: readonly unknown[]): void {
  const answer = rest.at(-1) as Answer;
  if (!hostname.endsWith(".chaos.test")) {
    Reflect.apply(realLookup, dns, [hostname, ...rest]);
    return;
  }
  if (faults.names === "unanswered") {
    const message = `getaddrinfo EAI_AGAIN ${hostname}`;
    const error = Object.assign(new Error(message), { code: "EAI_AGAIN", syscall: "getaddrinfo", hostname });
    setTimeout(answer, unansweredMs, error);
    return;
  }
  const { all } = (rest.length > 1 ? rest[0] : {}) as { all?: boolean };
  const found = { address: "127.0.0.1", family: 4 };
  setImmediate(() => (all === true ? answer(null, [found]) : answer(null, found.address, found.family)));
}

look();
setInterval(look, 20).unref();
dns.lookup = lookup as typeof dns.lookup;
