import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { afterEach, beforeEach } from "vitest";
import type { ServerDeps } from "../../src/http/server-deps.ts";
import type { TestApi } from "./api.ts";

/** An answer over a real connection. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** At level debug each request is logged, which is the framework's to do. */
export const silentLog = pino({ level: "silent" }) as unknown as ServerDeps["log"];

/** Listens on a port of its own, which it gives. */
export async function listen({ app }: TestApi): Promise<number> {
  await app.listen({ port: 0, host: "127.0.0.1" });
  return (app.server.address() as AddressInfo).port;
}

/** How many requests of a test the framework took, since its start or since `forget`: what is answered before it is not among them. */
export function countFrameworkRequests(): { taken(): number; forget(): void } {
  const channel = "tracing:fastify.request.handler:start";
  let taken = 0;
  const count = (): void => {
    taken += 1;
  };
  const forget = (): void => {
    taken = 0;
  };
  beforeEach(() => {
    forget();
    subscribe(channel, count);
  });
  afterEach(() => unsubscribe(channel, count));
  return { taken: () => taken, forget };
}
