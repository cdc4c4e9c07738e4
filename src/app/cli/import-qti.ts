import { leftOut, refused } from "../../adapters/item-bank-files/found.ts";
import { openQti, type QtiBank, type QtiItem } from "../../adapters/item-bank-files/qti.ts";
import type { SkillLink } from "../../adapters/item-bank-files/qti-manifest.ts";
import { defineSkills } from "../../commands/define-skills.ts";
import type { CatalogueCommandDeps } from "../../commands/handle.ts";
import type { CommandContext } from "./context.ts";
import type { CatalogueRow } from "./import/catalogue-rows.ts";
import { nameOfLink, type SkillNames, skillNames } from "./import/skill-links.ts";
import { type CatalogueImportOptions, importFrom } from "./import-catalogue.ts";
import { count } from "./io.ts";

export interface ImportQtiOptions extends CatalogueImportOptions {
  /** What becomes of a link to a skill that the catalogue does not know. */
  readonly unknownSkills: "refuse" | "ignore" | "define";
  readonly idPrefix: string;
  readonly contentBase: string;
  readonly kind: string;
}

/** Publishes the items of a QTI package, folder or file. */
export function importQti(context: CommandContext, path: string, options: ImportQtiOptions): Promise<void> {
  return importFrom(context, "items", options, async (commands) => {
    const bank = await openQti(path);
    const links = linkReading(commands, options);
    const rows = rowsOf(bank, links, options);
    return { name: path, source: bank.identifier, total: bank.total, rows, notes: links.notes, close: bank.close };
  });
}

async function* rowsOf(bank: QtiBank, links: LinkReading, options: ImportQtiOptions): AsyncGenerator<CatalogueRow> {
  for await (const found of bank.elements()) {
    if (found.kind !== "item") {
      yield found;
      continue;
    }
    const itemId = `${options.idPrefix}${found.itemId}`;
    const { skillIds, unknown } = await links.skillsOf(found);
    const [first] = unknown;
    if (first !== undefined && options.unknownSkills === "refuse") {
      const names = unknown.slice(0, 3).map(nameOfLink).join(", ");
      const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : "";
      yield refused(first.at, itemId, `the catalogue knows no skill ${names}${more}`);
      continue;
    }
    for (const link of unknown) yield leftOut(link.at, itemId, `a link to the unknown skill ${nameOfLink(link)}`);
    yield { kind: "input", at: found.at, input: inputOf(found, itemId, skillIds, options) };
  }
}

function inputOf(item: QtiItem, itemId: string, skillIds: readonly string[], options: ImportQtiOptions) {
  const { title, tags, responses, difficulty, path } = item;
  return {
    ...{ itemId, title, skillIds, tags, kind: options.kind, contentUri: `${options.contentBase}${path}` },
    ...(responses.length === 0 ? {} : { responses }),
    ...(difficulty === null ? {} : { difficulty }),
  };
}

interface LinkReading {
  skillsOf(item: QtiItem): Promise<{ skillIds: string[]; unknown: SkillLink[] }>;
  notes(): string[];
}

const unknownShownMax = 10;
/** Unknown skills that are counted by name. */
const unknownMax = 10_000;

function linkReading(commands: CatalogueCommandDeps, { unknownSkills }: ImportQtiOptions): LinkReading {
  let names: SkillNames = skillNames(commands.catalogue.catalogue.skills);
  const unknownLinks = new Map<string, number>();
  let defined = 0;

  /** Defines what the package speaks of and nobody has: by its GUID, titled by its label. */
  async function define(links: readonly SkillLink[]): Promise<void> {
    const inputs = links.flatMap(({ guid, uri, label }) => {
      const skillId = guid ?? uri?.split("/").at(-1) ?? "";
      const externalIds = [uri ?? "", label ?? ""].filter((name) => name !== "" && name.length <= 500);
      return skillId === "" ? [] : [{ skillId, title: (label ?? skillId).slice(0, 500), externalIds }];
    });
    const outcomes = await defineSkills(commands, inputs);
    defined += outcomes.filter(({ status }) => status === "published").length;
    names = skillNames(commands.catalogue.catalogue.skills);
  }

  const isUnknown = (link: SkillLink): boolean => names.resolve(link) === null;
  return {
    async skillsOf({ links }) {
      if (unknownSkills === "define" && links.some(isUnknown)) await define(links.filter(isUnknown));
      const unknown = links.filter(isUnknown);
      for (const name of unknown.map(nameOfLink)) {
        if (unknownLinks.size < unknownMax || unknownLinks.has(name)) {
          unknownLinks.set(name, (unknownLinks.get(name) ?? 0) + 1);
        }
      }
      return { skillIds: [...new Set(links.flatMap((link) => names.resolve(link) ?? []))], unknown };
    },
    notes() {
      const lines = defined === 0 ? [] : [`defined, as the catalogue did not know them: ${count(defined)} skills`];
      if (unknownLinks.size === 0) return lines;
      const most = [...unknownLinks].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, unknownShownMax);
      return [
        ...lines,
        `${count(unknownLinks.size)} skills that the catalogue does not know; import their framework (proximal import case), or see --unknown-skills:`,
        ...most.map(([name, times]) => `  ${name}: ${count(times)} items`),
        ...(unknownLinks.size > most.length ? [`  and ${count(unknownLinks.size - most.length)} more`] : []),
      ];
    },
  };
}
