import type { Node, Statement } from "@babel/types";
import { layerOf, production, type Rule } from "./rules.ts";
import { isNamed, lineOf, type Module, walk } from "./source-tree.ts";

const configFile = "src/app/config.ts";

/** Names that bring a clock, chance, waiting, the process or the world outside. */
const impureNames = new Set(
  `process console performance crypto fetch require globalThis Promise setTimeout setInterval setImmediate
   queueMicrotask structuredClone`.split(/\s+/),
);
impureNames.delete("structuredClone");

const domainIsPure: Rule = (tree) =>
  production(tree)
    .filter((module) => layerOf(module.path) === "domain")
    .flatMap((module) => {
      const declared = declaredNames(module);
      return nodesOf(module, (node, around) => {
        const parent = around.at(-1);
        if (isAsync(node)) return "the domain does not wait: no async, await or import()";
        if (isClock(node)) return "the domain has no clock: take the time as an argument";
        if (isMember(node, "Math", "random")) return "the domain has no chance: take a random number as an argument";
        if (node.type === "Identifier" && impureNames.has(node.name) && !declared.has(node.name)) {
          if (parent !== undefined && isOnlyAName(node, parent)) return null;
          return `the domain is pure: no ${node.name}`;
        }
        return null;
      });
    });

const environmentInConfig: Rule = (tree) =>
  production(tree)
    .filter((module) => module.path !== configFile)
    .flatMap((module) =>
      nodesOf(module, (node) => {
        const destructured =
          node.type === "VariableDeclarator" &&
          node.id.type === "ObjectPattern" &&
          node.init != null &&
          isNamed(node.init, "process") &&
          node.id.properties.some((property) => property.type === "ObjectProperty" && isNamed(property.key, "env"));
        const imported =
          node.type === "ImportDeclaration" &&
          node.source.value === "node:process" &&
          node.specifiers.some((part) => part.type === "ImportSpecifier" && isNamed(part.imported, "env"));
        if (!destructured && !imported && !isMember(node, "process", "env")) return null;
        return `only ${configFile} reads the environment`;
      }),
    );

const portsHoldNoCode: Rule = (tree) =>
  production(tree)
    .filter((module) => layerOf(module.path) === "ports")
    .flatMap((module) =>
      module.ast.program.body
        .filter((statement) => !isDeclarationOnly(statement))
        .map((statement) => ({
          path: module.path,
          line: lineOf(statement),
          what: "ports hold types, error classes and constants, no running code",
        })),
    );

export const codeRules: Record<string, Rule> = {
  "domain-is-pure": domainIsPure,
  "environment-in-config": environmentInConfig,
  "ports-hold-no-code": portsHoldNoCode,
};

function nodesOf(module: Module, judge: (node: Node, around: readonly Node[]) => string | null): ReturnType<Rule> {
  const found: ReturnType<Rule> = [];
  walk(module.ast, (node, around) => {
    const what = judge(node, around);
    if (what !== null) found.push({ path: module.path, line: lineOf(node), what });
  });
  return found;
}

function isAsync(node: Node): boolean {
  if (node.type === "AwaitExpression" || node.type === "ImportExpression") return true;
  if (node.type === "ForOfStatement") return node.await;
  if (node.type === "CallExpression" && node.callee.type === "Import") return true;
  return "async" in node && node.async === true;
}

/** `Date.now`, `new Date()` and `Date()`: the time of this machine. `new Date(ms)` only says a time in another form. */
function isClock(node: Node): boolean {
  if (node.type === "NewExpression") return isNamed(node.callee, "Date") && node.arguments.length === 0;
  if (node.type === "CallExpression") return isNamed(node.callee, "Date");
  return isMember(node, "Date", "now");
}

function isMember(node: Node, object: string, property: string): boolean {
  if (node.type !== "MemberExpression" && node.type !== "OptionalMemberExpression") return false;
  if (!isNamed(node.object, object)) return false;
  return node.computed
    ? node.property.type === "StringLiteral" && node.property.value === property
    : isNamed(node.property, property);
}

/** `x.fetch`, `{ fetch: 1 }` and types use the name, not the thing. */
function isOnlyAName(node: Node, parent: Node): boolean {
  if (parent.type === "MemberExpression" || parent.type === "OptionalMemberExpression") {
    return parent.property === node && !parent.computed;
  }
  if (parent.type === "ObjectProperty") return parent.key === node && !parent.computed && !parent.shorthand;
  return parent.type.startsWith("TS") && parent.type !== "TSAsExpression" && parent.type !== "TSNonNullExpression";
}

/** Names that variables, parameters, functions and imports of the module introduce: those are not the global ones. */
function declaredNames(module: Module): Set<string> {
  const names = new Set<string>();
  const add = (pattern: Node | null | undefined): void => {
    if (pattern == null) return;
    if (pattern.type === "Identifier") names.add(pattern.name);
    else if (pattern.type === "ObjectPattern") for (const property of pattern.properties) add(boundBy(property));
    else if (pattern.type === "ArrayPattern") for (const element of pattern.elements) add(element);
    else if (pattern.type === "AssignmentPattern") add(pattern.left);
    else if (pattern.type === "RestElement") add(pattern.argument);
  };
  walk(module.ast, (node) => {
    if (node.type === "VariableDeclarator" || node.type === "FunctionDeclaration") add(node.id);
    if (node.type === "ImportSpecifier") add(node.local);
    if ("params" in node && Array.isArray(node.params)) for (const parameter of node.params) add(parameter);
  });
  return names;
}

function boundBy(property: Node): Node | null {
  if (property.type === "ObjectProperty") return property.value;
  return property.type === "RestElement" ? property.argument : null;
}

function isDeclarationOnly(statement: Statement): boolean {
  switch (statement.type) {
    case "ImportDeclaration":
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      return true;
    case "ExportAllDeclaration":
      return statement.exportKind === "type";
    case "ExportNamedDeclaration":
      return statement.declaration == null || isDeclarationOnly(statement.declaration);
    case "ClassDeclaration":
      return (
        statement.superClass != null &&
        /(Error|Unavailable)$/.test(nameOf(statement.superClass)) &&
        hasOnlyConstructor(statement)
      );
    case "VariableDeclaration":
      return statement.kind === "const" && statement.declarations.every(({ init }) => init != null && isConstant(init));
    default:
      return false;
  }
}

const nameOf = (node: Node): string => (node.type === "Identifier" ? node.name : "");

function hasOnlyConstructor(node: Extract<Statement, { type: "ClassDeclaration" }>): boolean {
  return node.body.body.every(
    (member) => member.type === "ClassProperty" || (member.type === "ClassMethod" && member.kind === "constructor"),
  );
}

function isConstant(node: Node): boolean {
  switch (node.type) {
    case "StringLiteral":
    case "NumericLiteral":
    case "BooleanLiteral":
    case "NullLiteral":
      return true;
    case "UnaryExpression":
      return isConstant(node.argument);
    case "BinaryExpression":
      return isConstant(node.left) && isConstant(node.right);
    case "TSAsExpression":
    case "TSSatisfiesExpression":
      return isConstant(node.expression);
    case "ArrayExpression":
      return node.elements.every((element) => element !== null && isConstant(element));
    case "ObjectExpression":
      return node.properties.every((property) => property.type === "ObjectProperty" && isConstant(property.value));
    default:
      return false;
  }
}
