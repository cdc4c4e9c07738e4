import { describe } from "vitest";
import { privateRedis } from "../../test/support/engines.ts";
import { openRedisReadModels } from "../adapters/read-models/redis.ts";
import { projectionInvariants } from "./invariants.contract.ts";

const redis = await privateRedis();

describe.skipIf(redis === null)("on Redis", () => {
  projectionInvariants({
    open: () => openRedisReadModels({ url: redis?.url ?? "" }),
    ...{ events: 160, faultStep: 3, races: 6 },
  });
});
