import { type CaseFramework, readCase } from "../../adapters/item-bank-files/case.ts";
import { readJsonFile } from "../../adapters/item-bank-files/json-file.ts";
import type { CommandContext } from "./context.ts";
import type { CatalogueRow } from "./import/catalogue-rows.ts";
import { skillNames } from "./import/skill-links.ts";
import { openSourceFile } from "./import/source-file.ts";
import { type CatalogueImportOptions, importFrom } from "./import-catalogue.ts";

export interface ImportCaseOptions extends CatalogueImportOptions {
  readonly skillId: "identifier" | "code";
}

/** Defines the skills of a CASE competency framework (a CFPackage). */
export function importCase(context: CommandContext, path: string, options: ImportCaseOptions): Promise<void> {
  return importFrom(context, "skills", options, async (commands) => {
    const file = await openSourceFile(context.io, path, "json");
    const json = await readJsonFile(file.path, file.name).finally(file.close);
    const known = skillNames(commands.catalogue.catalogue.skills).find;
    const framework = readCase(json, { file: file.name, skillId: options.skillId, known });
    return {
      ...{ name: file.name, source: framework.identifier, total: framework.elements.length },
      rows: rowsOf(framework),
      close: () => {},
    };
  });
}

async function* rowsOf({ elements }: CaseFramework): AsyncGenerator<CatalogueRow> {
  for (const found of elements) {
    if (found.kind !== "skill") {
      yield found;
      continue;
    }
    const { kind: _, at, externalIds, parentIds, ...rest } = found;
    const input = {
      ...rest,
      ...(externalIds.length === 0 ? {} : { externalIds }),
      ...(parentIds.length === 0 ? {} : { parentIds }),
    };
    yield { kind: "input", at, input };
  }
}
