import { createRequire } from "node:module";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { seededRandom } from "../../../test/support/random.ts";
import {
  mendedRequest,
  mendProduce,
  type ProduceMessage,
  type ProduceOptions,
  type ProduceRequest,
} from "./kafkajs-produce.ts";

const require = createRequire(import.meta.url);
// Before it is replaced.
const theirs = require("kafkajs/src/protocol/requests/produce/v3/request") as ProduceRequest;
const ours = mendedRequest(theirs);
const random = seededRandom(20_260_301);

const words = ["abcxyz-0189", 'äöü"\\\n', "日本語", "😀\u0000\u007f\u0080\ud800"];
const lengths = [0, 1, 5, 62, 63, 64, 65, 127, 128, 5_000];

function text(): string {
  const [word, length] = [random.pick(words), random.pick(lengths)];
  return word.repeat(Math.ceil(length / word.length)).slice(0, length);
}
const bytes = (): string | Buffer | null =>
  random.chance(0.2) ? null : random.chance(0.3) ? Buffer.from(text()) : text();
const header = (): string | Buffer => bytes() ?? "";

function message(): ProduceMessage {
  const names = Array.from({ length: random.below(12) }, (_, nth) => `${nth} ${text().slice(0, 80)}`);
  const values = (): string | Buffer | (string | Buffer)[] =>
    random.chance(0.1) ? Array.from({ length: random.below(3) }, header) : header();
  return { key: bytes(), value: bytes(), headers: Object.fromEntries(names.map((name) => [name, values()])) };
}

function options(): ProduceOptions {
  const partition = (nth: number) => ({
    ...{ partition: 3 * nth, firstSequence: random.below(2 ** 31) },
    messages: Array.from({ length: 1 + random.below(random.pick([1, 3, 100])) }, message),
  });
  const topic = (name: string) => ({
    topic: name,
    partitions: Array.from({ length: 1 + random.below(4) }, (_, n) => partition(n)),
  });
  const producer = { producerId: random.pick(["0", "9007199254740993"]), producerEpoch: random.below(30_000) };
  return {
    acks: -1,
    timeout: random.below(30_000),
    ...producer,
    topicData: [topic("proximal.events"), topic("ö")].slice(random.below(2)),
  };
}

async function expectSame(some: ProduceOptions): Promise<void> {
  const [mine, own] = [await ours(some).encode(), await theirs(some).encode()];
  expect(Buffer.compare(mine.buffer, own.buffer)).toBe(0);
}

describe("a request to produce", () => {
  beforeEach(() => void vi.useFakeTimers({ now: 1_772_352_000_123, toFake: ["Date"] }));
  afterEach(() => void vi.useRealTimers());

  test("has the bytes that kafkajs gives it", async () => {
    for (let nth = 0; nth < 60; nth += 1) await expectSame(options());
  });

  test("has them where nothing is said of producer, sequence, key and headers", async () => {
    const topicData = [{ topic: "t", partitions: [{ partition: 0, messages: [{ value: "v" }] }] }];
    await expectSame({ acks: 1, timeout: 5, topicData });
    await expectSame({ acks: 1, timeout: 5, topicData: [] });
  });

  test("is not changed by those that are written after it, or while it is on its way", async () => {
    const many = Array.from({ length: 5 }, options);
    const written = await Promise.all(many.map((some) => ours(some).encode()));
    for (const [nth, some] of many.entries()) {
      const { buffer } = await theirs(some).encode();
      expect(Buffer.compare(written[nth]?.buffer ?? Buffer.alloc(0), buffer)).toBe(0);
    }
  });

  test("is left to kafkajs where it is compressed, in a transaction, or a message has a time", async () => {
    const messages = [{ value: "v".repeat(500), timestamp: "1772352000000" }, { value: "w" }];
    const topicData = [{ topic: "t", partitions: [{ partition: 0, messages }] }];
    const untimed = [{ topic: "t", partitions: [{ partition: 0, messages: [{ value: "v".repeat(500) }] }] }];
    await expectSame({ acks: -1, timeout: 5, topicData });
    await expectSame({ acks: -1, timeout: 5, topicData: untimed, compression: 1 });
    await expectSame({ acks: -1, timeout: 5, topicData: untimed, transactionalId: "one" });
  });

  test("is this one, in each version, once kafkajs was mended", async () => {
    mendProduce();
    require("kafkajs");
    const { protocol } = require("kafkajs/src/protocol/requests/produce") as {
      protocol(of: {
        version: number;
      }): (some: ProduceOptions) => { request: { encode(): Promise<object>; apiVersion: number } };
    };
    const some = options();
    for (const version of [3, 4, 5, 6, 7]) {
      const { request } = protocol({ version })(some);
      expect(request.apiVersion).toBe(version);
      expect(Object.keys(await request.encode())).toEqual(["buf", "buffer"]);
    }
  });
});
