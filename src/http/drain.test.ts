import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { expect, test } from "vitest";
import { startTestApi } from "../../test/support/api.ts";

test("a connection that never sent anything does not hold a stop up", async () => {
  const api = await startTestApi();
  await api.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = api.app.server.address() as AddressInfo;
  const silent = connect({ port, host: "127.0.0.1" });
  silent.on("error", () => undefined);
  await once(silent, "connect");
  const ended = once(silent, "close");
  const started = performance.now();
  await api.stop();
  expect(performance.now() - started).toBeLessThan(5_000);
  await ended;
});
