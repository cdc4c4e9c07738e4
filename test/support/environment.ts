/** What processes that tests start have of this one's environment: nothing that would set them otherwise. */
export function ofThisProcess(): Readonly<Record<string, string>> {
  const { PATH = "", HOME = "", NODE_COMPILE_CACHE = "" } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE };
}
