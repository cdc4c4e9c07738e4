import { basename } from "node:path";
import type { Node } from "@babel/types";
import { production, type Rule } from "./rules.ts";
import { lineOf, walk } from "./source-tree.ts";

const longest = { file: 300, function: 70 };
const reason = "// long because:";

const filesAreShort: Rule = (tree) =>
  production(tree).flatMap(({ path, text }) => {
    const lines = text.trimEnd().split("\n").length;
    if (lines <= longest.file || text.includes(reason)) return [];
    return [{ path, line: longest.file, what: `${lines} lines; at most ${longest.file}, or a line "${reason} ..."` }];
  });

/** A factory counts without the functions it is made of, which count for themselves. */
const functionsAreShort: Rule = (tree) =>
  production(tree).flatMap((module) => {
    const lines = module.text.split("\n");
    const found: ReturnType<Rule> = [];
    walk(module.ast, (node) => {
      if (!isFunction(node) || node.loc == null) return;
      const length = linesOf(node) - linesOfFunctionsIn(node);
      if (length <= longest.function) return;
      const first = lineOf(node);
      if (
        lines
          .slice(Math.max(0, first - 2), node.loc.end.line)
          .join("\n")
          .includes(reason)
      )
        return;
      const what = `a function of ${length} lines; at most ${longest.function}, or a line "${reason} ..."`;
      found.push({ path: module.path, line: first, what });
    });
    return found;
  });

const isFunction = (node: Node): boolean => "params" in node && "body" in node;

const linesOf = (node: Node): number => (node.loc == null ? 0 : node.loc.end.line - node.loc.start.line + 1);

function linesOfFunctionsIn(outer: Node): number {
  let lines = 0;
  walk(outer, (node, around) => {
    // Only the outermost of those inside: `around` holds the nodes between.
    if (node !== outer && isFunction(node) && !around.slice(1).some(isFunction)) lines += linesOf(node);
  });
  return lines;
}

const scriptsSayWhatTheyDo: Rule = (tree) =>
  tree.scripts
    .filter(({ text }) => !/^\s*(--|\/\*)/.test(text) || headerOf(text).length < 20)
    .map(({ path }) => ({
      path,
      line: 1,
      what: "starts with a comment that states purpose, invariant and parameters",
    }));

const plainNames: Rule = (tree) =>
  tree.modules.flatMap(({ path }) => {
    const vague = path.split("/").find((part) => /^(utils?|helpers?|misc|common|shared)(\.|$)/.test(part));
    return vague === undefined
      ? []
      : [{ path, line: 1, what: `"${basename(vague, ".ts")}" says nothing; name what it holds` }];
  });

export const sizeRules: Record<string, Rule> = {
  "files-are-short": filesAreShort,
  "functions-are-short": functionsAreShort,
  "scripts-say-what-they-do": scriptsSayWhatTheyDo,
  "plain-names": plainNames,
};

/** The words of the comment a script starts with. */
function headerOf(text: string): string {
  const block = /^\s*\/\*([\s\S]*?)\*\//.exec(text)?.[1];
  const lines = /^\s*((--.*\n?)+)/.exec(text)?.[1];
  return (block ?? lines ?? "").replace(/^\s*(--|\*)/gm, "").trim();
}
