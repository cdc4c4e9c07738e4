import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { course } from "./course.ts";
import { sampleLogCsv, sampleLogOptions } from "./sample-log.ts";

// Writes sample-log.csv beside this file: `node src/app/demo/make-sample-log.ts`. The same bytes each time.
const path = fileURLToPath(new URL("sample-log.csv", import.meta.url));
await writeFile(path, sampleLogCsv(course.skills, course.items, sampleLogOptions));
