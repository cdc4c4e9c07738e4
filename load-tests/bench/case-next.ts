import type { BenchCase } from "./case.ts";
import { loadSide } from "./load-side.ts";
import { nextPath } from "./proximal-app.ts";

const connections = 32;

/** GET /v1/learners/{id}/next of many learners in turn, against a bare route that returns the bytes of one such answer. */
export const next: BenchCase = {
  name: "next",
  title: "next item",
  limit: "bare Fastify route, same bytes",
  unit: "requests/s",
  better: "higher",
  target: { ratio: 0.8, by: "figure" },
  gate: true,
  async prepare(setting) {
    const { learners } = setting;
    const [app, bare, generator] = [await setting.app(), await setting.bare(), setting.generator()];
    const shots = Array.from({ length: learners }, (_, n) => ({ method: "GET" as const, path: nextPath(n) }));
    const order = { key: app.key, connections, shots };
    return {
      ours: loadSide(generator, { url: app.url, pids: [app.server.pid], order }),
      limit: loadSide(generator, { url: bare.url, pids: [bare.pid], order }),
      parameters: { connections, learners },
    };
  },
};
