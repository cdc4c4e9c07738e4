import { openRedisReadModels } from "../../src/adapters/read-models/redis.ts";
import type { Row } from "../../src/ports/read-models.ts";
import { learnerKey, learnerOfKey, learnerPrefix, readLiveView } from "../../src/projections/rows.ts";
import { startTestApi } from "../../test/support/api.ts";
import { answer, items, learnerOf, skills, track } from "./course.ts";

/*
 * Rows of more learners than can be made to answer: real rows, made by the projector of real events, written again under
 * other ids by the adapter that the projector writes with.
 */

const batchTimeoutMs = 60_000;
const pageSize = 2_000;

/** Rows that were written, and how to ask for them. */
export interface CopiedRows {
  /** Paths of GET .../next. */
  readonly paths: readonly string[];
  /** In Redis, for a learner. */
  readonly bytesEach: number;
  remove(): Promise<void>;
}

/** Writes rows into the namespace that queries read. */
export async function openRows(redisUrl: string) {
  const readModels = await openRedisReadModels({ url: redisUrl, batchTimeoutMs });
  const view = await readLiveView(readModels);
  if (view === null) throw new Error("no rows are live");
  const { namespace } = view;
  return {
    close: () => readModels.close(),
    /** Rows in turn, under as many ids. */
    async put(rows: readonly Row[], idOf: (n: number) => string, count: number): Promise<CopiedRows> {
      const ids = Array.from({ length: count }, (_, n) => idOf(n));
      const keyOf = (id: string): string => learnerKey(namespace, id);
      let bytes = 0;
      for (let at = 0; at < count; at += pageSize) {
        const writes = ids.slice(at, at + pageSize).map((id, n) => {
          const { version, fields } = rows[(at + n) % rows.length] as Row;
          bytes += keyOf(id).length;
          for (const [name, value] of fields) bytes += name.length + value.length;
          return { key: keyOf(id), from: 0, to: version, set: fields };
        });
        const outcomes = await readModels.write(writes);
        if (outcomes.some(({ status }) => status !== "written")) throw new Error("rows of an earlier run are in Redis");
      }
      return {
        paths: ids.map((id) => `/v1/learners/${id}/next`),
        bytesEach: bytes / count,
        async remove() {
          for (let at = 0; at < count; at += pageSize) await readModels.remove(ids.slice(at, at + pageSize).map(keyOf));
        },
      };
    },
  };
}

/** All rows of one database in another, and those of its learners under so many ids in place of their own. */
export async function copyRows(fromUrl: string, toUrl: string, count: number): Promise<CopiedRows> {
  const from = await openRedisReadModels({ url: fromUrl, batchTimeoutMs });
  const to = await openRedisReadModels({ url: toUrl, batchTimeoutMs });
  const view = await readLiveView(from);
  if (view === null) throw new Error("no rows are live");
  const originals: Row[] = [];
  for await (const keys of from.keys("")) {
    const rows = await from.read(keys);
    const others = rows.flatMap(({ version, fields }, at) => {
      const key = keys[at] ?? "";
      const learner = learnerOfKey(key);
      if (learner?.startsWith(learnerOf(0).slice(0, -1)) && key.startsWith(learnerPrefix(view.namespace))) {
        originals.push(rows[at] as Row);
      }
      return learner === null ? [{ key, from: "older" as const, to: version, set: fields }] : [];
    });
    await to.write(others);
  }
  await Promise.all([from.close(), to.close()]);
  const rows = await openRows(toUrl);
  const copied = await rows.put(originals, (n) => `copy-${n}`, count);
  return {
    ...copied,
    async remove() {
      await copied.remove();
      await rows.close();
    },
  };
}

const batchMax = 1_000;

/** The row of a learner with so many answers, folded by the whole service in memory. */
export async function deepRows(answers: number): Promise<Row[]> {
  const api = await startTestApi(() => ({ options: { rateLimitPerMinute: null } }));
  try {
    for (const [path, body] of [
      ["/v1/skills", skills],
      ["/v1/items", items],
      ["/v1/tracks", track],
    ] as const) {
      await api.call("POST", path, { body });
    }
    for (let n = 0; n < answers; n += batchMax) {
      const body = Array.from({ length: Math.min(batchMax, answers - n) }, (_, i) => answer(0, n + i));
      const { status } = await api.call("POST", "/v1/interactions", { body });
      if (status !== 200) throw new Error(`answers were refused with ${status}`);
    }
    await api.settled();
    const view = await readLiveView(api.deps.readModels);
    return api.deps.readModels.read([learnerKey(view?.namespace ?? "", learnerOf(0))]);
  } finally {
    await api.stop();
  }
}
