import type { Scope } from "../api/answers.ts";

export interface Page {
  readonly name: string;
  readonly title: string;
  /** Of these the key needs one; an operator's key may do everything. */
  readonly scopes: readonly Scope[];
  readonly group: "operators" | "learners";
}

export const pages: readonly Page[] = [
  { name: "pipeline", title: "Pipeline", scopes: ["operator"], group: "operators" },
  { name: "parked", title: "Parked learners", scopes: ["operator"], group: "operators" },
  { name: "jobs", title: "Jobs", scopes: ["analyst"], group: "operators" },
  { name: "rebuild", title: "Rebuild", scopes: ["operator"], group: "operators" },
  { name: "learner", title: "Learner", scopes: ["client", "analyst"], group: "learners" },
  { name: "practice", title: "Practice", scopes: ["client"], group: "learners" },
];

export const may = (held: readonly Scope[], needed: readonly Scope[]): boolean =>
  held.includes("operator") || needed.some((scope) => held.includes(scope));

export const pagesFor = (held: readonly Scope[]): Page[] => pages.filter(({ scopes }) => may(held, scopes));
