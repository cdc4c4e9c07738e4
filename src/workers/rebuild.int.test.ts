import { describe } from "vitest";
import { privateRedis } from "../../test/support/engines.ts";
import { openRedisReadModels } from "../adapters/read-models/redis.ts";
import { rebuildContract } from "./rebuild.contract.ts";

const redis = await privateRedis();
const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 4);

describe.skipIf(redis === null)("on Redis", () => {
  rebuildContract({
    async open() {
      const readModels = await openRedisReadModels({ url: redis?.url ?? "" });
      return { readModels, close: () => readModels.close() };
    },
    ...{ events: 120, faultStep: runs > 50 ? 1 : 9, runs },
  });
});
