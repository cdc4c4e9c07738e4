import type { Module, SourceFile } from "./source-tree.ts";

/** What a tree did wrong. `rule` is a key of {@link rules}, which is also the name of the fixtures that break it. */
export interface Violation {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

export interface Tree {
  /** Every TypeScript file below src/. */
  readonly modules: readonly Module[];
  /** Every .lua and .sql file. */
  readonly scripts: readonly SourceFile[];
}

export type Rule = (tree: Tree) => Omit<Violation, "rule">[];

/** `src/<layer>/...`, or null for a file that lies elsewhere. */
export function layerOf(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

/** Tests and contract suites may import anything; nothing else may import them. */
export const isTest = (path: string): boolean => /\.(test|contract)\.ts$/.test(path) || path.startsWith("test/");

/** The modules that run in production. */
export const production = (tree: Tree): Module[] => tree.modules.filter((module) => !isTest(module.path));
