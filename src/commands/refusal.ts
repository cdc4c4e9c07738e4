/** One field that is wrong, as the caller wrote it: "policy.targetSuccess", "skillIds.3", "" for the whole value. */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** An expected refusal: data, never thrown. `code` is stable and documented in docs/problems.md. */
export interface Refusal {
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly FieldProblem[];
}

interface Issue {
  readonly code?: string;
  readonly keys?: readonly string[];
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** zod's issues in our form; an unknown field is named by its own path. At most 20. */
export function fieldProblems(issues: readonly Issue[]): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const issue of issues) {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys" && issue.keys !== undefined) {
      for (const key of issue.keys)
        problems.push({ path: [...path, shortened(key)].join("."), message: "unknown field" });
    } else {
      problems.push({ path: path.join("."), message: issue.message });
    }
    if (problems.length >= 20) break;
  }
  return problems.slice(0, 20);
}

/** "kind: Invalid option; rating: unknown field": one sentence that names the fields. */
export function summaryOf(errors: readonly FieldProblem[]): string {
  const shown = errors.slice(0, 3).map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  return errors.length > 3 ? `${shown.join("; ")}; and ${errors.length - 3} more` : shown.join("; ");
}

function shortened(key: string): string {
  return key.length > 100 ? `${key.slice(0, 100)}...` : key;
}
