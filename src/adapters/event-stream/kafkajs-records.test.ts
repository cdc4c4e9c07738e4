import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../test/support/random.ts";
import { crc32c } from "./crc32c.ts";
import { type EncodedRecord, encodeRecord, mendRecords, type PlacedMessage } from "./kafkajs-records.ts";

const require = createRequire(import.meta.url);
const recordModule = "kafkajs/src/protocol/recordBatch/record/v0";
const sumModule = "kafkajs/src/protocol/recordBatch/crc32C";
// Before they are replaced.
const theirRecord = require(recordModule) as (message: PlacedMessage) => EncodedRecord;
const theirSum = require(sumModule) as (bytes: Uint8Array) => number;
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

function message(): PlacedMessage {
  const names = Array.from({ length: random.below(12) }, (_, nth) => `${nth} ${text().slice(0, 80)}`);
  const values = (): string | Buffer | (string | Buffer)[] =>
    random.chance(0.1) ? Array.from({ length: random.below(3) }, header) : header();
  return {
    ...{ key: bytes(), value: bytes(), headers: Object.fromEntries(names.map((name) => [name, values()])) },
    ...{ offsetDelta: random.below(100_000), timestampDelta: Math.floor(random.next() * 2 ** random.below(44)) },
  };
}

describe("what kafkajs sends", () => {
  test("records have the bytes that its own encoder gives them, also those that were written before", () => {
    const messages = Array.from({ length: 1_000 }, message);
    const ours = [...messages.map(encodeRecord), encodeRecord({ value: "neither key nor headers" })];
    const theirs = [...messages, { value: "neither key nor headers" }].map((one) => theirRecord(one).buffer);
    for (const [nth, { buffer }] of ours.entries()) {
      expect(Buffer.compare(buffer, theirs[nth] ?? Buffer.alloc(0)), `record ${nth}`).toBe(0);
    }
  });

  test("the time may be before that of the batch", () => {
    for (const timestampDelta of [-1, -64, -65, -5_000_000_000]) {
      expect(encodeRecord({ value: "", timestampDelta }).buffer).toEqual(
        theirRecord({ value: "", timestampDelta }).buffer,
      );
    }
  });

  test("batches have the sums that it gives them", () => {
    for (let nth = 0; nth < 50; nth += 1) {
      const some = Buffer.from(text());
      expect(crc32c(some)).toBe(theirSum(some));
    }
  });

  test("are these, once it was mended: it has not loaded what it sends by before", () => {
    mendRecords();
    require("kafkajs");
    expect(require(recordModule)).toBe(encodeRecord);
    expect(require(sumModule)).toBe(crc32c);
    const produceModules = ["kafkajs/src/protocol/requests/produce/v3/request", "kafkajs/src/protocol/recordBatch/v0"];
    for (const name of produceModules) expect(require.cache[require.resolve(name)], name).toBeUndefined();
  });
});
