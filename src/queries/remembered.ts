/**
 * `make`, each key's thing made once and then found; where there are more than `max` of them, all are made anew. For what
 * is the same however often it is made.
 */
export function remembered<K, V>(max: number, make: (key: K) => V): (key: K) => V {
  const all = new Map<K, V>();
  return (key) => {
    let made = all.get(key);
    if (made === undefined) {
      if (all.size >= max) all.clear();
      made = make(key);
      all.set(key, made);
    }
    return made;
  };
}
