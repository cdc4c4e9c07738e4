const named = /^\s*\/\* ([\w.-]{1,60}) \*\//;
const relation = /\b(?:FROM|INTO|UPDATE|TABLE(?: IF (?:NOT )?EXISTS)?)\s+(?:ONLY\s+)?([a-z_][\w.]*)/i;

/** Texts of statements are constants, so this stays small; a text made on the fly must not fill the memory. */
const known = new Map<string, string>();
const knownMax = 500;

/**
 * What a statement is called in metrics and in the log: the name in the comment it begins with, else its verb and the
 * first table it speaks of. Never a value: these are in the parameters.
 */
export function statementName(text: string): string {
  let name = known.get(text);
  if (name === undefined) {
    name = named.exec(text)?.[1] ?? summary(text);
    if (known.size < knownMax) known.set(text, name);
  }
  return name;
}

function summary(text: string): string {
  const verb = /^\s*([a-z]+)/i.exec(text)?.[1]?.toUpperCase() ?? "unknown";
  const table = relation.exec(text)?.[1];
  return table === undefined ? verb : `${verb} ${table}`;
}
