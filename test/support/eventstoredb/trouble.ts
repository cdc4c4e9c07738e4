import { setTimeout as sleep } from "node:timers/promises";
import type { SeededRandom } from "../random.ts";
import { noFaults } from "./faults.ts";
import type { TestServer } from "./start.ts";

type Trouble = (server: TestServer, random: SeededRandom) => Promise<unknown>;

const troubles: readonly Trouble[] = [
  (server, random) => server.set({ unavailableAppends: 1 + random.below(3) }),
  (server, random) => server.set({ unavailableReads: 1 + random.below(3) }),
  (server, random) => server.set({ unavailableSubscriptions: 1 + random.below(2) }),
  (server) => server.set({ lostReplies: 1 }),
  (server) => server.set({ cutReplies: 1 }),
  (server, random) => server.set({ lateReplies: 2, lateByMs: random.below(600) }),
  (server) => server.set({ doubleReplies: 3 }),
  (server, random) => server.set({ wrongVersions: 1 + random.below(3) }),
  (server, random) => server.set({ silent: random.chance(0.5) }),
  (server, random) => server.set({ doubleEvents: random.chance(0.5) }),
  (server, random) => server.set({ noPositionForRepeats: random.chance(0.5) }),
  (server, random) => server.set({ leader: random.below(server.ports.length) }),
  (server) => server.order({ do: "cut" }),
  (server, random) => server.order({ do: "endSubscriptions", kindly: random.chance(0.5) }),
  (server) => server.order({ do: "forgetIds" }),
  (server, random) => server.order({ do: "systemEvents", count: random.below(40) }),
  async (server, random) => {
    server.freeze();
    await sleep(random.below(500));
    server.thaw();
  },
];

/** One thing after the other goes wrong, until it is told to stop; then all is well again. */
export function makeTrouble(server: TestServer, random: SeededRandom): () => Promise<void> {
  let stopped = false;
  const done = (async () => {
    while (!stopped) {
      await random.pick(troubles)(server, random);
      await sleep(random.below(60));
    }
    await server.set(noFaults());
  })();
  // Of interest to whoever waits for it, if anybody does.
  done.catch(() => {});
  return () => {
    stopped = true;
    return done;
  };
}
