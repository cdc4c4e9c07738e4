import { leaseContract } from "./lease.contract.ts";
import { createMemoryLease } from "./memory.ts";

leaseContract("memory", async () => {
  let now = 0;
  return {
    lease: createMemoryLease({ now: () => now }),
    async pass(ms) {
      now += ms;
    },
    close: async () => undefined,
  };
});
