import { type Scope, scopes } from "../../ports/api-keys.ts";

/** Scopes as they are stored: words with commas between. A scope that this code does not know grants nothing. */
export function scopesToText(granted: readonly Scope[]): string {
  return granted.join(",");
}

export function scopesFromText(text: string): Scope[] {
  const granted = text.split(",");
  return scopes.filter((scope) => granted.includes(scope));
}
