import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { qtiItem } from "../../../test/support/qti.ts";
import { readXml, XmlProblem } from "./xml.ts";

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What a document says, as a list of what the reader told. */
async function told(document: string | Buffer, size = 1 << 16, bytesMax = 1 << 20): Promise<string[]> {
  const events: string[] = [];
  await readXml(pieces(Buffer.from(document), size), bytesMax, {
    open: (name, attributes, line) =>
      events.push(`${line} <${[name, ...Array.from(attributes, (a) => a.join("="))].join(" ")}>`),
    text: (text) => text.trim() !== "" && events.push(text.trim()),
    close: (name) => events.push(`</${name}>`),
  });
  return events;
}

const problemOf = async (document: string | Buffer): Promise<string> => {
  const error = await told(document).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof XmlProblem)) throw new Error(`not refused as XML: ${String(error)}`);
  return `${error.line}: ${error.message}`;
};

describe("a document", () => {
  test("is told tag by tag, without prefixes, with the line each tag opens on", async () => {
    const text = `<?xml version="1.0"?>\n<a:x xmlns:a="urn:a"\n  b="1">\n <!-- c --><y\n a:id="2"/>t &amp; <![CDATA[<u>]]>\n</a:x>`;
    expect(await told(text)).toEqual(["2 <x a=urn:a b=1>", "4 <y id=2>", "</y>", "t &", "<u>", "</x>"]);
  });

  test("may come in pieces of any size", async () => {
    const whole = await told(qtiItem("é✓𝒳"));
    for (const size of [1, 2, 3, 7, 199, 200, 201]) expect(await told(qtiItem("é✓𝒳"), size)).toEqual(whole);
  });

  test.each([
    ["UTF-8 with a byte order mark", Buffer.from(`\uFEFF<a b="é"/>`)],
    ["UTF-16, little end first", Buffer.from(`\uFEFF<?xml version="1.0" encoding="UTF-16"?><a b="é"/>`, "utf16le")],
    ["UTF-16, big end first", Buffer.from(`\uFEFF<a b="é"/>`, "utf16le").swap16()],
    ["ISO 8859-1, declared", Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?><a b="é"/>`, "latin1")],
  ])("may be %s", async (_, bytes) => {
    expect(await told(bytes)).toEqual(["1 <a b=é>", "</a>"]);
  });
});

describe("what is refused, with its line", () => {
  const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join("\n");
  test.each([
    ["a tag that is not closed", "<a>\n<b>\n</a>", /^3: not well-formed XML: /],
    ["nothing", "", /^1: not well-formed XML: /],
    ["text that is no XML", "not XML", /^1: not well-formed XML: /],
    ["two roots", "<a/>\n<b/>", /^2: not well-formed XML: /],
    ["an attribute twice", '<a b="1" b="2"/>', /^1: not well-formed XML: /],
    ["entities that grow a billionfold", `<!DOCTYPE a [<!ENTITY l0 "ha">\n${laughs}]>\n<a>&l9;</a>`, /^11: .*entity/],
    ["an entity of another file", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<a>&x;</a>', /^2: .*entity/],
    ["an entity of HTML without its declaration", "<a>&nbsp;</a>", /^1: .*entity/],
    ["bytes of another encoding", Buffer.from('<a b="é"/>', "latin1"), /^1: not utf-8 text/],
    ["an encoding that is not read", '<?xml version="1.0" encoding="EBCDIC-US"?><a/>', /^1: the encoding EBCDIC-US/],
    ["an encoding that it is not in", '<?xml version="1.0" encoding="UTF-16"?><a/>', /^1: the encoding UTF-16/],
    ["elements within elements without end", "<a>".repeat(1000), /^1: nested deeper than 200/],
    ["more than was asked for", `<a>${"x".repeat(1 << 20)}</a>`, /^1: longer than 1048576 bytes/],
  ])("%s", async (_, document, problem) => {
    expect(await problemOf(document)).toMatch(problem);
  });

  test("entities that are declared and never used cost nothing", async () => {
    expect(await told(`<!DOCTYPE a [<!ENTITY l0 "ha">\n${laughs}]>\n<a/>`)).toEqual(["11 <a>", "</a>"]);
  });
});

test("whatever the bytes, it is read or refused with a line: nothing else is thrown", async () => {
  const document = Buffer.from(qtiItem("fuzz"));
  const edit = fc.record({ at: fc.nat(document.length - 1), cut: fc.nat(20), put: fc.uint8Array({ maxLength: 8 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 300 }),
      async (edits, size) => {
        let bytes = document;
        for (const { at, cut, put } of edits) {
          bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
        }
        const outcome = await readXml(pieces(bytes, size), 1 << 20, { open() {}, text() {}, close() {} }).then(
          () => null,
          (error: unknown) => error,
        );
        if (outcome !== null) {
          expect(outcome).toBeInstanceOf(XmlProblem);
          expect((outcome as XmlProblem).line).toBeGreaterThanOrEqual(1);
        }
      },
    ),
    { numRuns: 300 },
  );
});
