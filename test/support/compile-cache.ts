import { join } from "node:path";

/**
 * Vitest's set-up of every file: the processes that tests start share what Node made of their sources (types stripped,
 * compiled). It is half of what a start of Proximal takes, and tests start hundreds. Node looks at the sources' hashes, so
 * nothing old is run. A worker of vitest has started when this is set, and would not win by it.
 */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "../../node_modules/.cache/proximal-tests");
