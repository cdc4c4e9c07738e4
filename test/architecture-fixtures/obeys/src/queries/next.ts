import type { Row } from "../projections/rows.ts";

export const next = (row: Row): number => row.version;
