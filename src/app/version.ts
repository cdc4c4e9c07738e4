import { readFileSync } from "node:fs";

/** Of package.json; "unknown" where there is none. */
export function version(): string {
  // Two folders up from the sources, three from the build in dist/.
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8"));
      if (name === "proximal") return String(version);
    } catch {
      // Not there: the other one.
    }
  }
  return "unknown";
}
