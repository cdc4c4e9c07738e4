/** A document in which `made` stands between two comments, whatever stood there; null where it does not have them. */
export function betweenComments(
  text: string,
  { begins, ends }: { readonly begins: string; readonly ends: string },
  made: string,
): string | null {
  const [from, to] = [text.indexOf(begins), text.indexOf(ends)];
  return from < 0 || to < from ? null : `${text.slice(0, from + begins.length)}\n${made}\n${text.slice(to)}`;
}
