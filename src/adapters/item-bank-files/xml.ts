import { TextDecoder } from "node:util";
import { SaxesParser } from "saxes";

/** What a reader of XML is told, in the order of the document. Names come without their prefix. */
export interface XmlHandler {
  open(name: string, attributes: ReadonlyMap<string, string>, line: number): void;
  /** Text between two tags, in pieces where a comment or CDATA section parts it. */
  text(text: string): void;
  close(name: string): void;
}

/** Not XML, or not XML that is read here; `line` is where that was noticed. */
export class XmlProblem extends Error {
  override readonly name = "XmlProblem";
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const depthMax = 200;

/**
 * Reads a document as it comes, holding no more than the text between two tags. Throws {@link XmlProblem} where it is
 * not well-formed, longer than `bytesMax`, nested deeper than 200 or not in the encoding that it names (UTF-8, UTF-16,
 * ISO 8859-1, Windows-1252).
 *
 * Safe on hostile input: a DOCTYPE is read over, its entities are neither declared nor fetched, and a reference to one is
 * an error. So nothing is expanded (no "billion laughs") and nothing else is opened (no XXE).
 */
export async function readXml(bytes: AsyncIterable<Buffer>, bytesMax: number, handler: XmlHandler): Promise<void> {
  const parser = parserFor(handler);
  let start: Buffer | null = Buffer.alloc(0);
  let decoder = new TextDecoder();
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > bytesMax) throw new XmlProblem(parser.line, `longer than ${bytesMax} bytes`);
    let next = chunk;
    if (start !== null) {
      start = Buffer.concat([start, chunk]);
      if (start.length < declarationBytes) continue;
      decoder = decoderFor(start);
      next = start;
      start = null;
    }
    parser.write(decode(decoder, next, parser.line));
  }
  if (start !== null) {
    decoder = decoderFor(start);
    parser.write(decode(decoder, start, parser.line));
  }
  parser.write(decode(decoder, null, parser.line));
  parser.close();
}

function parserFor(handler: XmlHandler): SaxesParser {
  const parser = new SaxesParser({ position: true });
  const names: string[] = [];
  // The line at which a tag opened: the parser stands at its end when it tells of it.
  let openedAt = 1;
  parser.on("opentagstart", () => {
    // Told after the character that ends the name has been read, which may be a line's end.
    openedAt = parser.columnIndex === 0 ? parser.line - 1 : parser.line;
  });
  parser.on("opentag", ({ name, attributes }) => {
    names.push(name);
    if (names.length > depthMax) throw new XmlProblem(parser.line, `nested deeper than ${depthMax} elements`);
    handler.open(localName(name), new Map(Object.entries(attributes).map(attribute)), openedAt);
  });
  parser.on("closetag", ({ name }) => {
    names.pop();
    handler.close(localName(name));
  });
  parser.on("text", (text) => handler.text(text));
  parser.on("cdata", (text) => handler.text(text));
  parser.on("error", (error) => {
    // Its messages begin with "line:column: ".
    throw new XmlProblem(parser.line, `not well-formed XML: ${error.message.replace(/^\d+:\d+: /, "").slice(0, 200)}`);
  });
  return parser;
}

const localName = (name: string): string => name.slice(name.indexOf(":") + 1);
const attribute = ([name, value]: [string, string]): [string, string] => [localName(name), value];

/** Enough for `<?xml version="1.0" encoding="..." standalone="..."?>`. */
const declarationBytes = 200;

const encodings: Readonly<Record<string, string>> = {
  "utf-8": "utf-8",
  utf8: "utf-8",
  "us-ascii": "utf-8",
  ascii: "utf-8",
  "iso-8859-1": "windows-1252",
  latin1: "windows-1252",
  "windows-1252": "windows-1252",
};

function decoderFor(start: Buffer): TextDecoder {
  const [a, b] = start;
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0)) return new TextDecoder("utf-16le", { fatal: true });
  if ((a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c)) return new TextDecoder("utf-16be", { fatal: true });
  const declared = /^(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']/.exec(
    start.toString("latin1", 0, declarationBytes),
  )?.[1];
  const label = declared === undefined ? "utf-8" : encodings[declared.toLowerCase()];
  if (label === undefined) throw new XmlProblem(1, `the encoding ${declared} is not read, or is not what this is`);
  return new TextDecoder(label, { fatal: true });
}

/** `chunk` null: the end. */
function decode(decoder: TextDecoder, chunk: Buffer | null, line: number): string {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw new XmlProblem(line, `not ${decoder.encoding} text: save it in the encoding that it names`);
  }
}
