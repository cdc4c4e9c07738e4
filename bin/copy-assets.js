// Second half of `npm run build`: tsc writes JavaScript only, the SQL, Lua and data files beside it are copied.

import { cpSync, existsSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const root = new URL("..", import.meta.url);
/** What the program reads at run time, relative to the root and to dist/ alike. */
const folders = ["src", "console/dist", "infra/postgres", "package.json", "samples", "load-tests/results/costs.json"];

for (const folder of folders) {
  const from = fileURLToPath(new URL(folder, root));
  if (!existsSync(from)) continue;
  const to = fileURLToPath(new URL(`dist/${folder}`, root));
  cpSync(from, to, { recursive: true, filter: (path) => extname(path) !== ".ts" });
}
