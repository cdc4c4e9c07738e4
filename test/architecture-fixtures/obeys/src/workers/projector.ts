import type { Row } from "../projections/rows.ts";

export const versionOf = (row: Row): number => row.version;
