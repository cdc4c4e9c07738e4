/** The value under the id; where there is none, a new one is made and put there. */
export function getOrAdd<Value>(map: Map<string, Value>, id: string, make: () => Value): Value {
  const found = map.get(id);
  if (found !== undefined) return found;
  const made = make();
  map.set(id, made);
  return made;
}
