import { isUtf8 } from "node:buffer";

/** Objects and arrays within each other, at most. Nothing of ours needs more than 5. */
export const maxDepth = 20;

export type JsonReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };

/**
 * JSON from outside: valid UTF-8, bounded nesting, no key that could reach a prototype, and no text that some engine
 * cannot store (a lone half of a surrogate pair, a zero byte). Of a key given twice the last counts. Never throws.
 */
export function readJson(bytes: Buffer): JsonReading {
  return isUtf8(bytes) ? readJsonText(bytes.toString("utf8")) : { ok: false, message: "not valid UTF-8" };
}

/** The same for text that is known to have been valid UTF-8. */
export function readJsonText(text: string): JsonReading {
  let value: unknown;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (error) {
    // V8 quotes the input in its message: shorten it, so that logs and answers do not carry the whole body.
    return { ok: false, message: (error as Error).message.slice(0, 200) };
  }
  if (typeof value !== "object" || value === null) return { ok: true, value };
  // Only an escape can bring in what valid UTF-8 cannot hold.
  const message = faultIn(value, text.includes("\\u"));
  return message === null ? { ok: true, value } : { ok: false, message };
}

/** Walks level by level, without recursion: a body of a million brackets must not overflow a stack. */
function faultIn(root: object, checkText: boolean): string | null {
  let level: object[] = [root];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > maxDepth) return `nested deeper than ${maxDepth} levels`;
    const next: object[] = [];
    for (const container of level) {
      const fault = Array.isArray(container) ? null : keysFault(container as Record<string, unknown>);
      if (fault !== null) return fault;
      for (const value of Object.values(container)) {
        if (typeof value === "object" && value !== null) next.push(value);
        else if (checkText && typeof value === "string" && !storable(value))
          return "text with a character that is none";
      }
    }
    level = next;
  }
  return null;
}

function keysFault(container: Record<string, unknown>): string | null {
  for (const key of Object.keys(container)) {
    if (key === "__proto__") return "__proto__: not allowed as a field";
    if (key === "constructor" && Object.hasOwn(Object(container[key]), "prototype")) {
      return "constructor.prototype: not allowed as a field";
    }
  }
  return null;
}

function storable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}
