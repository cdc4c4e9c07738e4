import type { BareOrder } from "./bare-server.ts";
import type { BenchSetting } from "./case.ts";
import { answer, learnerOf } from "./course.ts";
import { startLoadGenerator } from "./load-side.ts";
import { ask, startNode } from "./processes.ts";
import { type App, nextPath, seed, startApp } from "./proximal-app.ts";

/** What the cases share, each part started when it is first asked for. `say` is told of what takes long. */
export function benchSetting(
  learners: number,
  answersEach: number,
  say: (line: string) => void,
): Pick<BenchSetting, "app" | "bare" | "generator" | "learners"> {
  const app = once(async () => {
    say("starting PostgreSQL, Redis and Proximal");
    const started = await startApp();
    await seed(started, learners, answersEach);
    return started;
  });
  return {
    learners,
    app,
    bare: once(async () => {
      const server = startNode("load-tests/bench/bare-server.ts");
      const { url } = await ask<{ url: string }>(server, await bareOrder(await app(), learners));
      return { url, pid: server.pid };
    }),
    generator: once(startLoadGenerator),
  };
}

function once<T>(start: () => T): () => T {
  let started: { readonly it: T } | undefined;
  return () => {
    started ??= { it: start() };
    return started.it;
  };
}

/** What the real server answers each of so many learners, for the bare one to answer the same. */
export async function bareOrder(app: App, learners: number): Promise<BareOrder> {
  const bodies: Record<string, string> = {};
  let type = "";
  for (let n = 0; n < learners; n += 1) {
    const get = await app.request("GET", nextPath(n));
    bodies[learnerOf(n)] = get.text;
    type = get.type;
  }
  const post = await app.request("POST", "/v1/interactions", answer(0, 999));
  return {
    get: { bodies, type },
    post: { body: post.text, type: post.type, status: post.status },
  };
}
