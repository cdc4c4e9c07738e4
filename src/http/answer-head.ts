import type { ServerResponse } from "node:http";
import { flat } from "../queries/pieces.ts";

/** What node:http has made of the headers, whether it has sent them, and what it makes of the connection. */
export type WithHead = ServerResponse & {
  _header: string;
  _headerSent: boolean;
  readonly _expect_continue: boolean;
  readonly maxRequestsOnConnectionReached?: boolean;
};

/** Of most answers: the connection stays open, and no other header says so. */
const isUsual = (response: WithHead): boolean =>
  response.shouldKeepAlive && !response.maxRequestsOnConnectionReached && !response._expect_continue;

const jsonType = { "content-type": "application/json; charset=utf-8" };

/**
 * The heads of JSON answers of a kind: these headers, and each answer's own tag and length. node:http looks at each name and value anew,
 * which takes a tenth of what an answer from memory takes; here one is written by it in each second, and cut where the tag and the length
 * stand, so that the next differ in these alone.
 */
export class AnswerHead {
  readonly #status: number;
  readonly #headers: string[];
  readonly #hasTag: boolean;
  /** What is kept says the time, and may be sent until that has passed. */
  #isKept = false;
  #beforeTag = "";
  #beforeLength = "";
  #end = "";

  constructor(status: number, headers: Readonly<Record<string, string>>, { hasTag = false } = {}) {
    this.#status = status;
    this.#hasTag = hasTag;
    this.#headers = Object.entries({
      ...jsonType,
      ...headers,
      ...(hasTag ? { etag: "" } : {}),
      "content-length": "",
    }).flat();
  }

  /** Gives an answer of so many bytes its head, which is returned. */
  give(response: WithHead, bytes: number, tag = ""): string {
    if (!this.#isKept || !isUsual(response)) return this.#write(response, String(bytes), tag);
    const head = this.#beforeTag + tag + this.#beforeLength + bytes + this.#end;
    response.statusCode = this.#status;
    response._header = head;
    return head;
  }

  #write(response: WithHead, length: string, tag: string): string {
    const headers = this.#headers;
    headers[headers.length - 1] = length;
    if (this.#hasTag) headers[headers.length - 3] = tag;
    response.writeHead(this.#status, headers);
    const head = response._header;
    if (this.#isKept || !isUsual(response)) return head;
    const tagAt = this.#hasTag ? placeOf(head, "etag") : 0;
    const lengthAt = placeOf(head, "content-length");
    this.#isKept = true;
    // As node:http keeps its own Date.
    setTimeout(() => (this.#isKept = false), 1_000 - (Date.now() % 1_000)).unref();
    this.#beforeTag = flat(head.slice(0, tagAt));
    this.#beforeLength = flat(head.slice(tagAt + tag.length, lengthAt));
    this.#end = flat(head.slice(lengthAt + length.length));
    return head;
  }
}

const placeOf = (head: string, name: string): number => head.indexOf(`\r\n${name}: `) + `\r\n${name}: `.length;
