import { expect, test, vi } from "vitest";
import { answer, publishCourse, startTestApi } from "../../test/support/api.ts";
import { publishItems } from "../commands/publish-items.ts";
import type { Feed } from "../ports/feed.ts";
import { type CatalogueFollower, createCatalogueFollower } from "../workers/catalogue-follower.ts";

// Each process follows the catalogue by itself: the projector, which makes the lists, may know of an item before who answers does.
test.each([
  ["a part of the list", 4, "precomputed"],
  ["what is selected in place of the list", 50, "on_demand"],
])("%s is not fresh as long as the process has not heard of an item in the list", async (_what, count, computed) => {
  let held: Promise<void> | null = null;
  const followers: CatalogueFollower[] = [];
  const api = await startTestApi(({ feed, log }) => {
    const late: Feed = {
      ...feed,
      async read(...page) {
        await held;
        return feed.read(...page);
      },
    };
    const catalogue = createCatalogueFollower({ feed: late, log, pauseMs: 1 });
    followers.push(catalogue);
    return { catalogue, options: { freshnessWaitMs: 20 } };
  });
  await publishCourse(api);
  const { eventStore, feed, log, clock, randomId } = api.deps;
  const projectors = createCatalogueFollower({ feed, log });
  followers.push(projectors);
  const { promise, resolve: letGo } = Promise.withResolvers<void>();
  held = promise;
  const item = { itemId: "counting-6", title: "New", skillIds: ["counting"], difficulty: -1 };
  const publishing = { eventStore, catalogue: projectors, clock, randomId };
  expect(await publishItems(publishing, [item])).toMatchObject([{ status: "published" }]);
  const { json } = await api.call("POST", "/v1/interactions", { body: answer("ada", "counting-3") });
  await api.settled();

  const path = `/v1/learners/ada/next?count=${count}&after=${json.tokens?.ada ?? json.token}`;
  const next = async () => (await api.call("GET", path)).json;
  const hasItem = ({ items }: { items: { itemId: string }[] }) => items.some(({ itemId }) => itemId === "counting-6");
  const before = await next();
  expect(before).toMatchObject({ source: "personal", computed, revision: 1, fresh: false });
  expect(hasItem(before)).toBe(false);
  letGo();
  const after = await vi.waitUntil(async () => {
    const answered = await next();
    return answered.fresh ? answered : null;
  }, 30_000);
  expect(hasItem(after)).toBe(true);
  await api.stop();
  for (const follower of followers) await follower.stop();
});
