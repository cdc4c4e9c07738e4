import { createMemoryPresence } from "./memory.ts";
import { presenceContract } from "./presence.contract.ts";

presenceContract("memory", async () => {
  let now = 0;
  return {
    presence: createMemoryPresence({ now: () => now }),
    async pass(ms) {
      now += ms;
    },
    async close() {},
  };
});
