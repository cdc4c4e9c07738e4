import { z } from "zod";
import { findCycle, type Prerequisite } from "../../domain/item-bank/skill-graph.ts";
import { type LeftOut, leftOut, type Place, type RefusedElement, refused, UnreadableFile } from "./found.ts";
import type { JsonFile } from "./json-file.ts";

/** A competency, as the skill it becomes. */
export interface CaseSkill {
  readonly kind: "skill";
  readonly at: Place;
  readonly skillId: string;
  readonly title: string;
  readonly externalIds: readonly string[];
  readonly parentIds: readonly string[];
  readonly prerequisites: readonly { readonly skillId: string }[];
}

export interface CaseFramework {
  readonly identifier: string;
  readonly title: string;
  readonly elements: readonly (CaseSkill | RefusedElement | LeftOut)[];
}

export interface CaseOptions {
  /** As messages name it. */
  readonly file: string;
  /** What becomes the skill's id: the CASE identifier (a UUID), or the human coding scheme ("3.NF.A.1"). */
  readonly skillId: "identifier" | "code";
  /** A skill of the catalogue by what it is called elsewhere: frameworks refer to one another. */
  readonly known: (externalId: string) => string | null;
}

const text = z.string().trim();
const packageSchema = z.looseObject({
  CFDocument: z.looseObject({ identifier: text.min(1), title: text.default("") }),
  CFItems: z.array(z.unknown()),
  CFAssociations: z.array(z.unknown()).nullish(),
});
const itemSchema = z.looseObject({
  identifier: text.min(1),
  uri: text.nullish(),
  fullStatement: text.min(1),
  abbreviatedStatement: text.nullish(),
  humanCodingScheme: text.nullish(),
});
const nodeSchema = z.looseObject({ identifier: text.nullish(), uri: text.nullish(), title: text.nullish() });
const associationSchema = z.looseObject({
  identifier: text.nullish(),
  associationType: text.min(1),
  originNodeURI: nodeSchema,
  destinationNodeURI: nodeSchema,
});

/** A skill while associations are still read. */
interface Draft {
  readonly at: Place;
  readonly skillId: string;
  readonly title: string;
  readonly externalIds: readonly string[];
  readonly parents: Map<string, Prerequisite>;
  readonly prerequisites: Map<string, Prerequisite>;
}

/**
 * Reads a CASE package (a CFPackage as CASE 1.0 and 1.1 services give it). An association that cannot stand is refused by
 * itself, and the skills it would have joined stand without it. Throws {@link UnreadableFile} where it is no package.
 */
export function readCase({ value, lines }: JsonFile, options: CaseOptions): CaseFramework {
  const { file } = options;
  const wrapped = (value as { CFPackage?: unknown } | null)?.CFPackage;
  const parsed = packageSchema.safeParse(wrapped ?? value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UnreadableFile(`${file} is not a CASE package (CFPackage): ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { CFDocument, CFItems, CFAssociations } = parsed.data;
  const folder = wrapped === undefined ? "" : "CFPackage/";
  const placeOf = (array: string, i: number): Place => ({ file, line: lines.get(`${folder}${array}/${i}`) ?? 1 });
  const notes: (RefusedElement | LeftOut)[] = [];
  const drafts = readItems(CFItems, (i) => placeOf("CFItems", i), options, notes);
  const bySkill = new Map(Array.from(drafts.values(), (draft) => [draft.skillId, draft]));
  const framework = { documentId: CFDocument.identifier, drafts, bySkill, options };
  for (const [i, one] of (CFAssociations ?? []).entries()) {
    const note = associate(one, placeOf("CFAssociations", i), framework);
    if (note !== null) notes.push(note);
  }
  const skills = Array.from(drafts.values(), skillOf);
  return { identifier: CFDocument.identifier, title: CFDocument.title, elements: [...skills, ...notes] };
}

/** Drafts by CASE identifier. */
function readItems(
  items: readonly unknown[],
  placeOf: (index: number) => Place,
  { skillId: idFrom }: CaseOptions,
  notes: (RefusedElement | LeftOut)[],
): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  const taken = new Map<string, Place>();
  for (const [i, one] of items.entries()) {
    const at = placeOf(i);
    const parsed = itemSchema.safeParse(one);
    if (!parsed.success) {
      notes.push(refused(at, textIn(one, "identifier"), problemOf(parsed.error)));
      continue;
    }
    const { identifier, uri, fullStatement, abbreviatedStatement, humanCodingScheme } = parsed.data;
    const skillId = idFrom === "identifier" ? identifier : (humanCodingScheme ?? "");
    if (skillId === "") {
      notes.push(refused(at, identifier, "it has no humanCodingScheme to be its id: take the identifier instead"));
      continue;
    }
    const before = taken.get(skillId) ?? taken.get(identifier);
    if (before !== undefined) {
      notes.push(refused(at, skillId, `the id ${skillId} is taken by line ${before.line}`));
      continue;
    }
    taken.set(skillId, at).set(identifier, at);
    const elsewhere = [identifier, uri ?? "", humanCodingScheme ?? ""];
    drafts.set(identifier, {
      at,
      skillId,
      title: shortened(abbreviatedStatement || fullStatement),
      externalIds: [...new Set(elsewhere)].filter((id) => id !== "" && id !== skillId && id.length <= 500),
      parents: new Map(),
      prerequisites: new Map(),
    });
  }
  return drafts;
}

interface Framework {
  readonly documentId: string;
  /** By CASE identifier, and by the id of the skill. */
  readonly drafts: ReadonlyMap<string, Draft>;
  readonly bySkill: ReadonlyMap<string, Draft>;
  readonly options: CaseOptions;
}

type Node = z.output<typeof nodeSchema>;

/** Puts what an association says into the drafts, or gives why not. */
function associate(input: unknown, at: Place, framework: Framework): RefusedElement | LeftOut | null {
  const { documentId, drafts } = framework;
  const parsed = associationSchema.safeParse(input);
  if (!parsed.success) {
    return refused(at, textIn(input, "identifier"), problemOf(parsed.error));
  }
  const { associationType: type, originNodeURI: origin, destinationNodeURI: destination } = parsed.data;
  const id = parsed.data.identifier ?? null;
  const refuse = (problem: string) => refused(at, id, `${type}: ${problem}`);
  if (type !== "isChildOf" && type !== "precedes") {
    return leftOut(at, id, `associations of type ${type.slice(0, 100)}: isChildOf and precedes are used`);
  }
  // A child of the document itself has no broader skill.
  if (type === "isChildOf" && destination.identifier === documentId) return null;
  // Both say something of one skill of this framework, and of another that may be anyone's.
  const [subject, object] = type === "isChildOf" ? [origin, destination] : [destination, origin];
  const draft = drafts.get(identifierOf(subject));
  if (draft === undefined) return refuse(`${nameOf(subject)} is no item of this framework that could be read`);
  const other = drafts.get(identifierOf(object))?.skillId ?? knownSkill(object, framework.options);
  if (other === null)
    return refuse(`${nameOf(object)} is no item of this framework, and the catalogue does not know it`);
  const link = { skillId: other, weight: 1 };
  const linksOf = (skill: string) => {
    const { parents, prerequisites } = framework.bySkill.get(skill) ?? noLinks;
    return [...(type === "isChildOf" ? parents : prerequisites).values()];
  };
  const cycle = findCycle(draft.skillId, [link], linksOf);
  if (cycle !== null) return refuse(`it closes a cycle: ${cycle.join(" -> ")}`);
  (type === "isChildOf" ? draft.parents : draft.prerequisites).set(other, link);
  return null;
}

const noLinks: Pick<Draft, "parents" | "prerequisites"> = { parents: new Map(), prerequisites: new Map() };

function skillOf({ at, skillId, title, externalIds, parents, prerequisites }: Draft): CaseSkill {
  const [parentIds, needed] = [[...parents.keys()], [...prerequisites.keys()]];
  return {
    kind: "skill",
    at,
    skillId,
    title,
    externalIds,
    parentIds,
    prerequisites: needed.map((id) => ({ skillId: id })),
  };
}

/** A node is named by its identifier; where that is missing, by the last part of its URI, which is the same. */
const identifierOf = ({ identifier, uri }: Node): string => identifier || (uri?.split("/").at(-1) ?? "");
const nameOf = (node: Node): string => (identifierOf(node) || "a node without identifier").slice(0, 200);

function knownSkill(node: Node, { known }: CaseOptions): string | null {
  return known(identifierOf(node)) ?? (node.uri ? known(node.uri) : null);
}

const titleMax = 500;

function shortened(statement: string): string {
  const line = statement.replace(/\s+/g, " ");
  return line.length > titleMax ? `${line.slice(0, titleMax - 3)}...` : line;
}

function problemOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join(".") || "element"}: ${issue?.message ?? "invalid"}`;
}

function textIn(value: unknown, key: string): string | null {
  const found = (value as Record<string, unknown> | null)?.[key];
  return typeof found === "string" ? found.slice(0, 200) : null;
}
