import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type LeftOut, leftOut, type Place, type RefusedElement, refused, UnreadableFile } from "./found.ts";
import { looksLikeZip, openFolder, openZip, type PackageFiles } from "./package-files.ts";
import { type ItemFile, readQtiItem } from "./qti-item.ts";
import { type ItemResource, type Manifest, readManifest, type SkillLink } from "./qti-manifest.ts";

/** An assessment item, with what the package says of it. */
export interface QtiItem extends Omit<ItemFile, "title"> {
  readonly title: string;
  readonly tags: readonly string[];
  /** Path of its file in the package. */
  readonly path: string;
  readonly links: readonly SkillLink[];
}

export interface QtiBank {
  /** The identifier of the manifest; null where there is none. */
  readonly identifier: string | null;
  /** Items there may be, at most. */
  readonly total: number;
  /** Each element once, in the order of the manifest, else of the names of the files. */
  elements(): AsyncGenerator<QtiItem | RefusedElement | LeftOut>;
  close(): void;
}

/** Bytes of items unpacked from one package, together. A package of 50,000 items has some hundreds of megabytes. */
const unpackedBytesMax = 8 * 1024 ** 3;

/**
 * Opens a QTI content package (a folder or a zip file with an imsmanifest.xml), a folder of items without a manifest, or one
 * item. Holds the manifest's resources and the list of files; items are read one at a time. Throws {@link UnreadableFile}.
 */
export async function openQti(path: string): Promise<QtiBank> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UnreadableFile(error.code === "ENOENT" ? `${path}: there is no such file or folder` : error.message);
  });
  const files = found.isDirectory()
    ? await openFolder(path)
    : (await looksLikeZip(path))
      ? await openZip(path)
      : alone(path);
  try {
    const manifest = manifestName(files.names);
    if (manifest !== null) return withManifest(files, await readManifest(manifest, counted(files).read(manifest)));
    const names = files.names.filter((name) => name.endsWith(".xml"));
    if (names.length === 0) throw new UnreadableFile(`${path} holds no imsmanifest.xml and no other .xml file`);
    const resources = names.map((name) => ({ ...nothingMore, at: { file: name, line: 1 }, path: name }));
    return withManifest(files, { identifier: null, items: resources, notes: [] });
  } catch (error) {
    files.close();
    throw error;
  }
}

const nothingMore = { identifier: "", title: null, keywords: [], difficulty: null, links: [] };

function alone(path: string): PackageFiles {
  const name = basename(path);
  return {
    names: [name.endsWith(".xml") ? name : `${name}.xml`],
    refused: [],
    read: () => createReadStream(path),
    close: () => {},
  };
}

/** At the top, or in the one folder that everything was packed with. */
function manifestName(names: readonly string[]): string | null {
  const found = names.filter((name) => basename(name) === "imsmanifest.xml");
  if (found.includes("imsmanifest.xml")) return "imsmanifest.xml";
  const [only] = found;
  return found.length === 1 && only !== undefined && dirname(dirname(only)) === "." ? only : null;
}

function withManifest(files: PackageFiles, manifest: Manifest): QtiBank {
  const known = new Set(files.names);
  const { read } = counted(files);
  async function* elements(): AsyncGenerator<QtiItem | RefusedElement | LeftOut> {
    yield* files.refused;
    yield* manifest.notes;
    const taken = new Map<string, Place>();
    for (const resource of manifest.items) {
      const id = resource.identifier === "" ? null : resource.identifier;
      if (!known.has(resource.path)) {
        yield refused(resource.at, id, `the package holds no file ${resource.path.slice(0, 200)}`);
        continue;
      }
      const file = await readQtiItem(resource.path, read(resource.path));
      if (file.kind !== "item") {
        yield file;
        continue;
      }
      const before = taken.get(file.itemId);
      if (before !== undefined) {
        const where = `${before.file}:${before.line}`;
        yield refused(file.at, file.itemId, `the identifier is taken by ${where}; an identifier names one item`);
        continue;
      }
      taken.set(file.itemId, file.at);
      yield* withMetadata(file, resource);
    }
  }
  return { identifier: manifest.identifier, total: manifest.items.length, elements, close: files.close };
}

/** LOM's words as a prior: steps of one logit around the average. */
const difficulties: ReadonlyMap<string, number> = new Map([
  ["very easy", -2],
  ["easy", -1],
  ["medium", 0],
  ["difficult", 1],
  ["very difficult", 2],
]);

const titleMax = 500;
const tagsMax = 50;
const tagMax = 100;

function* withMetadata(file: ItemFile, resource: ItemResource): Generator<QtiItem | LeftOut> {
  const { at, path, links } = resource;
  const word = resource.difficulty?.toLowerCase() ?? null;
  const fromLom = word === null ? null : (difficulties.get(word) ?? null);
  if (word !== null && fromLom === null) {
    yield leftOut(at, file.itemId, `the difficulty "${word.slice(0, 50)}" is no word of LOM: the item has no prior`);
  }
  const keywords = [...new Set(resource.keywords)];
  const tags = keywords.filter((keyword) => keyword.length <= tagMax).slice(0, tagsMax);
  if (tags.length < keywords.length) {
    yield leftOut(
      at,
      file.itemId,
      `${keywords.length - tags.length} keywords: ${tagsMax} of ${tagMax} characters are kept`,
    );
  }
  const title = (file.title ?? resource.title ?? file.itemId).slice(0, titleMax);
  yield { ...file, title, tags, path, links, difficulty: file.difficulty ?? fromLom };
}

/** Bounds what is unpacked from a package in all, whatever its entries say. */
function counted(files: PackageFiles): Pick<PackageFiles, "read"> {
  let bytes = 0;
  return {
    async *read(name) {
      for await (const chunk of files.read(name)) {
        bytes += chunk.length;
        if (bytes > unpackedBytesMax) throw new Error(`the package unpacks to more than ${unpackedBytesMax} bytes`);
        yield chunk;
      }
    },
  };
}
