import type { ItemFields } from "../../domain/events.ts";
import { type LeftOut, leftOut, type Place, type RefusedElement, refused } from "./found.ts";
import { readXml, type XmlHandler, XmlProblem } from "./xml.ts";

type ItemResponse = NonNullable<ItemFields["responses"]>[number];

/** What an assessment item says of itself, in QTI 3 or 2.x. */
export interface ItemFile {
  readonly kind: "item";
  readonly at: Place;
  readonly itemId: string;
  readonly title: string | null;
  readonly responses: readonly ItemResponse[];
  /** Of an outcome variable DIFFICULTY, in logits. */
  readonly difficulty: number | null;
}

/** An item's own file: text and markup; pictures lie beside it. */
const itemBytesMax = 8 * 1024 * 1024;

/** Reads one assessment item. Another kind of QTI document is left out, and anything else is refused; never throws. */
export async function readQtiItem(
  file: string,
  bytes: AsyncIterable<Buffer>,
): Promise<ItemFile | RefusedElement | LeftOut> {
  const reading = itemReading();
  try {
    await readXml(bytes, itemBytesMax, reading.handler);
    return reading.result(file);
  } catch (error) {
    const line = error instanceof XmlProblem ? error.line : 1;
    const problem = error instanceof Error ? error.message : String(error);
    return reading.notAnItem(file) ?? refused({ file, line }, reading.itemId(), problem);
  }
}

interface Declared {
  readonly line: number;
  readonly cardinality: string;
  readonly baseType: string;
  readonly correct: string[];
}

interface Interaction {
  readonly name: string;
  readonly line: number;
  readonly responseId: string;
  readonly choices: Set<string>;
}

/** QTI 3 writes `qti-response-declaration` and `base-type`, QTI 2 `responseDeclaration` and `baseType`. */
const qtiName = (name: string): string =>
  name.replace(/^qti-/, "").replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Documents of QTI that hold no item of their own. */
const otherDocuments: ReadonlySet<string> = new Set([
  "assessmentTest",
  "assessmentSection",
  "assessmentStimulus",
  "outcomeDeclaration",
  "responseProcessing",
  "resultReport",
  "assessmentResult",
  "usageData",
]);

function itemReading() {
  let root: { name: string; line: number; attributes: ReadonlyMap<string, string> } | null = null;
  const path: string[] = [];
  const declared = new Map<string, Declared>();
  const interactions: Interaction[] = [];
  let declaring: Declared | null = null;
  let difficultyText: { text: string; line: number } | null = null;
  let value: { text: string; field: string } | null = null;
  let inDifficulty = false;

  const open: XmlHandler["open"] = (tag, given, line) => {
    const name = qtiName(tag);
    const attributes = new Map(Array.from(given, ([key, text]) => [qtiName(key), text]));
    path.push(name);
    if (root === null) {
      root = { name, line, attributes };
      if (name !== "assessmentItem") throw new XmlProblem(line, `its root is <${tag}>, not an assessment item`);
    } else if (name === "responseDeclaration") {
      declaring = declare(declared, attributes, line);
    } else if (name === "outcomeDeclaration") {
      inDifficulty = attributes.get("identifier")?.toUpperCase() === "DIFFICULTY";
      if (inDifficulty) difficultyText = { text: "", line };
    } else if (name === "value") {
      value = { text: "", field: attributes.get("fieldIdentifier") ?? "" };
    } else if (name.endsWith("Interaction") && name !== "endAttemptInteraction") {
      const responseId = attributes.get("responseIdentifier") ?? "";
      interactions.push({ name: name.slice(0, -"Interaction".length), line, responseId, choices: new Set() });
    } else {
      const id = attributes.get("identifier");
      if (id !== undefined && choiceElements.has(name)) interactions.at(-1)?.choices.add(id);
    }
  };

  const close = (): void => {
    const name = path.pop();
    if (name === "value" && value !== null) {
      const text = value.text.trim();
      const within = path.at(-1);
      if (within === "correctResponse") declaring?.correct.push(value.field === "" ? text : `${value.field}=${text}`);
      else if (within === "defaultValue" && inDifficulty && difficultyText !== null) difficultyText.text = text;
      value = null;
    } else if (name === "responseDeclaration") declaring = null;
    else if (name === "outcomeDeclaration") inDifficulty = false;
  };

  const handler: XmlHandler = {
    open,
    close,
    text(text) {
      if (value !== null) value.text += text;
    },
  };
  return {
    handler,
    itemId: (): string | null => root?.attributes.get("identifier") ?? null,
    notAnItem: (file: string): LeftOut | null =>
      root !== null && otherDocuments.has(root.name)
        ? leftOut({ file, line: root.line }, root.attributes.get("identifier") ?? null, `${root.name}: not an item`)
        : null,
    result(file: string): ItemFile | RefusedElement {
      const attributes = root?.attributes ?? new Map<string, string>();
      const at = { file, line: root?.line ?? 1 };
      const itemId = attributes.get("identifier") ?? "";
      if (itemId === "") return refused(at, null, "the item has no identifier");
      const problem = firstProblem(interactions, declared);
      if (problem !== null) return refused({ file, line: problem.line }, itemId, problem.text);
      const difficulty = difficultyText === null || difficultyText.text === "" ? null : Number(difficultyText.text);
      if (difficulty !== null && !Number.isFinite(difficulty)) {
        const { text, line } = difficultyText ?? { text: "", line: at.line };
        return refused(
          { file, line },
          itemId,
          `the outcome DIFFICULTY is "${text.slice(0, 50)}", not a number of logits`,
        );
      }
      const title = attributes.get("title")?.trim() ?? "";
      return {
        kind: "item",
        at,
        itemId,
        title: title === "" ? null : title,
        responses: joined(interactions, declared),
        difficulty,
      };
    },
  };
}

function declare(declared: Map<string, Declared>, attributes: ReadonlyMap<string, string>, line: number): Declared {
  const identifier = attributes.get("identifier") ?? "";
  if (identifier === "") throw new XmlProblem(line, "a response declaration has no identifier");
  if (declared.has(identifier)) throw new XmlProblem(line, `the response ${identifier} is declared twice`);
  const made = {
    line,
    cardinality: attributes.get("cardinality") ?? "single",
    baseType: attributes.get("baseType") ?? "",
    correct: [],
  };
  declared.set(identifier, made);
  return made;
}

/** Interactions whose correct response must be among their choices. */
const checked: ReadonlySet<string> = new Set(["choice", "inlineChoice", "order"]);
const choiceElements: ReadonlySet<string> = new Set(["simpleChoice", "inlineChoice"]);

function firstProblem(
  interactions: readonly Interaction[],
  declared: ReadonlyMap<string, Declared>,
): { line: number; text: string } | null {
  for (const { name, line, responseId, choices } of interactions) {
    const response = declared.get(responseId);
    if (response === undefined) {
      return { line, text: `the ${name} interaction answers "${responseId}", which no response declaration declares` };
    }
    const single = response.cardinality === "single" && response.correct.length > 1;
    if (single)
      return { line: response.line, text: `${responseId} is single and has ${response.correct.length} correct values` };
    const unknown = checked.has(name) ? response.correct.find((id) => !choices.has(id)) : undefined;
    if (unknown !== undefined && response.baseType === "identifier") {
      return { line: response.line, text: `the correct response "${unknown}" is none of the choices of ${responseId}` };
    }
  }
  return null;
}

/** One for each response that an interaction gives; a variable that nothing asks for is the item's own business. */
function joined(interactions: readonly Interaction[], declared: ReadonlyMap<string, Declared>): ItemResponse[] {
  const byResponse = new Map(interactions.map(({ name, responseId }) => [responseId, name]));
  return Array.from(byResponse, ([responseId, interaction]) => {
    const { cardinality, correct } = declared.get(responseId) ?? { cardinality: "single", correct: [] };
    return { responseId, interaction, cardinality: cardinality as ItemResponse["cardinality"], correct };
  });
}
