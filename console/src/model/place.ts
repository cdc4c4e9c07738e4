/** Where in the console one is: what stands after the `#` of the address. */
export interface Place {
  readonly page: string;
  readonly query: Readonly<Record<string, string>>;
}

/** A link with a key is `#key=pxl_...`; after it may stand the page to open: `#key=pxl_...&page=/practice`. */
export function keyIn(hash: string): { readonly key: string; readonly rest: string } | null {
  if (!hash.startsWith("#key=")) return null;
  const parts = new URLSearchParams(hash.slice(1));
  return { key: parts.get("key") ?? "", rest: parts.get("page") ?? "" };
}

/** `#/learner?id=ada` is the page "learner". */
export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { page: path, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function hashOf(page: string, query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `#/${page}${text === "" ? "" : `?${text}`}`;
}
