import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { parse } from "@babel/parser";
import type { File, Node } from "@babel/types";

/** A file of the tree under check. Paths are relative to the root, with forward slashes: "src/domain/events.ts". */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** As written: "zod", "../ports/feed.ts". */
  readonly specifier: string;
  /** The file of the tree it means; null for a package or a module of Node. */
  readonly target: string | null;
  readonly line: number;
}

export interface Module extends SourceFile {
  readonly ast: File;
  /** Static, dynamic, type-only, re-exports and `import("...")` types alike. */
  readonly imports: readonly Import[];
}

/** All files below `folder` whose name ends in one of the suffixes; none where there is no such folder. */
export function readTree(root: string, folder: string, suffixes: readonly string[]): SourceFile[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && suffixes.some((suffix) => entry.name.endsWith(suffix)))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path: relative(root, path).split(sep).join("/"), text: readFileSync(path, "utf8") }));
}

/** Throws on a syntax error, with the file's name. */
export function parseModule(file: SourceFile): Module {
  const ast = parse(file.text, { sourceType: "module", sourceFilename: file.path, plugins: ["typescript"] });
  const imports: Import[] = [];
  walk(ast, (node) => {
    const specifier = importedBy(node);
    if (specifier === null) return;
    imports.push({ specifier, target: resolve(file.path, specifier), line: lineOf(node) });
  });
  return { ...file, ast, imports };
}

function importedBy(node: Node): string | null {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
      return node.source.value;
    case "ExportNamedDeclaration":
      return node.source?.value ?? null;
    case "ImportExpression":
      return stringOf(node.source);
    case "TSImportType":
      return stringOf(node.argument);
    case "CallExpression":
      return node.callee.type === "Import" || isNamed(node.callee, "require") ? stringOf(node.arguments[0]) : null;
    default:
      return null;
  }
}

function stringOf(node: Node | undefined): string | null {
  if (node?.type === "TSLiteralType") return stringOf(node.literal);
  if (node?.type === "StringLiteral") return node.value;
  if (node?.type === "TemplateLiteral" && node.quasis.length === 1) return node.quasis[0]?.value.cooked ?? null;
  return null;
}

/** Relative to the importing file; null for what does not start with a dot. */
function resolve(from: string, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

export const lineOf = (node: Node): number => node.loc?.start.line ?? 0;

export const isNamed = (node: Node, name: string): boolean => node.type === "Identifier" && node.name === name;

/** Visits every node, outermost first, with the nodes around it (nearest last). */
export function walk(node: Node, visit: (node: Node, around: readonly Node[]) => void, around: Node[] = []): void {
  visit(node, around);
  around.push(node);
  for (const child of childrenOf(node)) walk(child, visit, around);
  around.pop();
}

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (const [key, value] of Object.entries(node)) {
    if (key.endsWith("omments")) continue;
    for (const item of Array.isArray(value) ? value : [value]) if (isNode(item)) children.push(item);
  }
  return children;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "loc" in value;
}
