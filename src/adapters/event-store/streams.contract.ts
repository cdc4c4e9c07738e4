import { afterAll, beforeAll, expect, test } from "vitest";
import { type Log, newEvents, type OpenedLog, request } from "./support.contract.ts";

export function readStreamContract(open: () => Promise<OpenedLog>): void {
  const stream = "learner-read";
  let opened: OpenedLog;
  const revisions = async (options: Parameters<Log["readStream"]>[1]) =>
    (await opened.log.readStream(stream, options)).map((event) => event.revision);
  beforeAll(async () => {
    opened = await open();
    for (let i = 0; i < 5; i++) {
      await opened.log.append([request(stream, newEvents(2)), request("learner-rea", newEvents(1))]);
    }
    await opened.log.append([request("learner-reads", newEvents(1)), request("LEARNER-READ", newEvents(1))]);
  });
  afterAll(() => opened.close());

  test("forwards from the first, backwards from the last, up to the limit", async () => {
    expect(await revisions({ limit: 100 })).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await revisions({ limit: 3 })).toEqual([1, 2, 3]);
    expect(await revisions({ direction: "backwards", limit: 3 })).toEqual([10, 9, 8]);
  });

  test("from a revision, inclusive, in both directions", async () => {
    expect(await revisions({ from: 8, limit: 100 })).toEqual([8, 9, 10]);
    expect(await revisions({ from: 4, limit: 2 })).toEqual([4, 5]);
    expect(await revisions({ from: 3, direction: "backwards", limit: 100 })).toEqual([3, 2, 1]);
    expect(await revisions({ from: 11, limit: 100 })).toEqual([]);
    expect(await revisions({ from: 50, direction: "backwards", limit: 2 })).toEqual([10, 9]);
  });

  test("no stream, no events; a stream whose name begins the same is another stream", async () => {
    expect(await opened.log.readStream("learner-nobody", { limit: 10 })).toEqual([]);
    expect(await opened.log.readStream("learner-reads", { limit: 10 })).toHaveLength(1);
    expect(await opened.log.readStream("learner-", { limit: 10 })).toEqual([]);
  });

  test("a limit that is none is a caller's bug", async () => {
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      await expect(opened.log.readStream(stream, { limit })).rejects.toThrow(RangeError);
    }
  });
}
