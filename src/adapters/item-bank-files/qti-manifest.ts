import { posix } from "node:path";
import { type LeftOut, leftOut, type Place, type RefusedElement, refused } from "./found.ts";
import { withinPackage } from "./package-files.ts";
import { readXml, type XmlHandler, XmlProblem } from "./xml.ts";

/** A skill as a package names it: any of the three may be known to the catalogue. */
export interface SkillLink {
  readonly at: Place;
  readonly guid: string | null;
  readonly uri: string | null;
  readonly label: string | null;
}

/** One resource of a manifest that is an assessment item. */
export interface ItemResource {
  readonly at: Place;
  readonly identifier: string;
  /** Path in the package. */
  readonly path: string;
  readonly title: string | null;
  readonly keywords: readonly string[];
  /** A word of LOM's vocabulary, "very easy" to "very difficult". */
  readonly difficulty: string | null;
  readonly links: readonly SkillLink[];
}

export interface Manifest {
  readonly identifier: string | null;
  readonly items: readonly ItemResource[];
  readonly notes: readonly (RefusedElement | LeftOut)[];
}

const manifestBytesMax = 256 * 1024 * 1024;

/**
 * Reads the resources of a content package. Where the manifest breaks off or is not well-formed, the resources before that
 * stand, and what is wrong is noted; never throws.
 */
export async function readManifest(file: string, bytes: AsyncIterable<Buffer>): Promise<Manifest> {
  const reading = manifestReading(file);
  try {
    await readXml(bytes, manifestBytesMax, reading.handler);
  } catch (error) {
    const line = error instanceof XmlProblem ? error.line : 1;
    const problem = error instanceof Error ? error.message : String(error);
    reading.notes.push(refused({ file, line }, null, `${problem}; resources from here on are not read`));
  }
  return { identifier: reading.identifier(), items: reading.items, notes: reading.notes };
}

/** A resource while it is read. */
interface Draft {
  readonly line: number;
  readonly identifier: string;
  readonly type: string;
  readonly base: string;
  readonly href: string;
  readonly files: string[];
  title: string | null;
  readonly keywords: string[];
  difficulty: string | null;
  readonly links: SkillLink[];
}

interface LinkDraft {
  readonly line: number;
  readonly fields: Map<string, string>;
}

const linkFields: Readonly<Record<string, string>> = {
  GUID: "guid",
  targetGUID: "guid",
  caseItemGUID: "guid",
  caseItemURI: "uri",
  label: "label",
};

function manifestReading(file: string) {
  const folder = posix.dirname(file);
  const items: ItemResource[] = [];
  const notes: (RefusedElement | LeftOut)[] = [];
  const path: string[] = [];
  let identifier: string | null = null;
  const bases: string[] = ["", ""];
  let draft: Draft | null = null;
  let link: LinkDraft | null = null;
  let text = "";
  /** The first string of the element around it: LOM gives one for each language. */
  let inner: string | null = null;

  const open: XmlHandler["open"] = (name, attributes, line) => {
    path.push(name);
    text = "";
    if (!wrappers.has(name)) inner = null;
    if (path.length === 1) {
      if (name !== "manifest") throw new XmlProblem(line, `its root is <${name}>, not a manifest`);
      identifier = attributes.get("identifier") ?? null;
      bases[0] = attributes.get("base") ?? "";
    } else if (name === "resources") bases[1] = attributes.get("base") ?? "";
    else if (name === "resource" && draft === null) draft = draftOf(attributes, line, bases);
    else if (name === "file" && path.at(-2) === "resource") draft?.files.push(attributes.get("href") ?? "");
    else if (name === "labelledGUID") link = { line, fields: new Map() };
    else if (name === "location" && path.includes("metadata") && draft !== null) {
      notes.push(leftOut({ file, line }, draft.identifier, "metadata in a file of its own is not read"));
    }
  };

  const close = (name: string): void => {
    const within = path.slice(0, -1);
    path.pop();
    const own = text.trim().replace(/\s+/g, " ");
    text = "";
    if (wrappers.has(name)) {
      inner ??= own === "" ? null : own;
      return;
    }
    const content = inner ?? own;
    inner = null;
    const field = linkFields[name];
    if (link !== null && field !== undefined && content !== "") link.fields.set(field, content);
    else if (link === null && field === "guid" && content !== "")
      addLink({ line: 0, fields: new Map([["guid", content]]) });
    if (name === "labelledGUID" && link !== null) {
      addLink(link);
      link = null;
    } else if (name === "resource" && draft !== null && !within.includes("resource")) {
      finish(draft);
      draft = null;
    } else if (draft !== null && content !== "" && within.includes("lom")) learn(draft, name, within, content);
  };

  function addLink({ line, fields }: LinkDraft): void {
    const [guid, uri, label] = ["guid", "uri", "label"].map((key) => fields.get(key) ?? null);
    const at = { file, line: line === 0 ? (draft?.line ?? 1) : line };
    if (draft !== null) draft.links.push({ at, guid: guid ?? null, uri: uri ?? null, label: label ?? null });
    else notes.push(leftOut(at, guid ?? uri ?? label ?? null, "a link to a skill outside of any resource"));
  }

  function finish(done: Draft): void {
    const made = resourceOf(done, file, folder);
    if (made === null) return;
    if ("kind" in made) notes.push(made);
    else items.push(made);
  }

  const handler: XmlHandler = {
    open,
    close,
    text(piece) {
      text += piece;
    },
  };
  return { handler, items, notes, identifier: () => identifier };
}

/** Elements of LOM that only wrap a string: what they hold is what the element around them says. */
const wrappers: ReadonlySet<string> = new Set(["string", "langstring", "value"]);

function draftOf(attributes: ReadonlyMap<string, string>, line: number, bases: readonly string[]): Draft {
  return {
    line,
    identifier: attributes.get("identifier") ?? "",
    type: attributes.get("type") ?? "",
    base: [...bases, attributes.get("base") ?? ""].join(""),
    href: attributes.get("href") ?? "",
    ...{ files: [], title: null, keywords: [], difficulty: null, links: [] },
  };
}

/** An element of LOM has ended, `within` those around it. */
function learn(draft: Draft, name: string, within: readonly string[], content: string): void {
  const parent = within.at(-1);
  if (name === "title" && parent === "general") draft.title ??= content;
  else if (name === "keyword" && parent === "general") draft.keywords.push(content);
  else if (name === "difficulty" && parent === "educational") draft.difficulty ??= content.replace(/^LOMv1\.0\s*/, "");
}

/** null for what is no part of QTI: pictures, style sheets, web pages. */
function resourceOf(draft: Draft, file: string, folder: string): ItemResource | RefusedElement | LeftOut | null {
  const { line, identifier, type, title, keywords, difficulty, links } = draft;
  const at = { file, line };
  const id = identifier === "" ? null : identifier;
  const found = /^imsqti_([a-z]+)_xmlv(\d)p/.exec(type);
  if (found === null) return /qti/i.test(type) ? leftOut(at, id, `a resource of type ${type} is not read`) : null;
  const [, what, version] = found;
  if (what !== "item" && what !== "apipitem") return leftOut(at, id, `a ${what} (${type}): only items are read`);
  if (version !== "2" && version !== "3") return leftOut(at, id, `an item of QTI ${version}: 2.x and 3 are read`);
  const href = draft.href === "" ? (draft.files.find((name) => name.endsWith(".xml")) ?? "") : draft.href;
  if (href === "") return refused(at, id, "the resource names no file (href)");
  const path = withinPackage(folder, draft.base + href);
  if (path === null) return refused(at, id, `its file ${href.slice(0, 200)} lies outside of the package`);
  return { at, identifier, path, title, keywords, difficulty, links };
}
