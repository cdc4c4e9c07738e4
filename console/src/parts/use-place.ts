import { useLayoutEffect, useState } from "preact/hooks";
import { hashOf, type Place, placeOf } from "../model/place.ts";

/** Where one is, by the address; `go` goes elsewhere. */
export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  // With the page itself: who goes elsewhere before it listens would stay where they are.
  useLayoutEffect(() => {
    const moved = (): void => setPlace(placeOf(location.hash));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return place;
}

export function go(page: string, query: Readonly<Record<string, string>> = {}): void {
  location.hash = hashOf(page, query);
}
