import { visit } from "jsonc-parser";

/** Path of an element in a JSON document, like `CFItems/3` or `3`, and the line it begins on, 1-based. */
export type ElementLines = ReadonlyMap<string, number>;

/**
 * The lines on which the elements of arrays begin, for arrays at the top and those that are fields of an object one or two
 * levels deep. The text must be valid JSON. Throws RangeError on one that is nested some thousands deep.
 */
export function elementLines(text: string): ElementLines {
  const lines = new Map<string, number>();
  const begin: Begin = (_offset, _length, line, _character, pathOf) => {
    const path = pathOf();
    const within = path.slice(0, -1).every((part) => typeof part === "string");
    if (typeof path.at(-1) !== "number") return within ? path.length : depthMax;
    if (within && path.length <= depthMax) lines.set(path.join("/"), line + 1);
    return depthMax;
  };
  // Below what is asked for the visitor is told to tell nothing: false.
  visit(text, {
    onObjectBegin: (...at) => begin(...at) < 2,
    onArrayBegin: (...at) => begin(...at) < depthMax,
    // The library counts what it does not tell in its handlers of ends: without them it would stay silent for good.
    onObjectEnd: () => {},
    onArrayEnd: () => {},
    onLiteralValue: (_value, ...at) => void begin(...at),
  });
  return lines;
}

const depthMax = 3;

/** Gives the depth of what begins, {@link depthMax} for the elements themselves. */
type Begin = (
  offset: number,
  length: number,
  line: number,
  character: number,
  pathOf: () => (string | number)[],
) => number;
