import { problems } from "./problem.ts";

/** The page that the `type` of every problem points to. */
export function problemPage(): string {
  const rows = Object.entries(problems).map(
    ([code, { status, title }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td></tr>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Problems</title>
<h1>Problems</h1>
<p>Errors are answered as problem details (RFC 9457) with one of these codes. <code>errors</code> names the fields.</p>
<table><tr><th>code</th><th>status</th><th>what it means</th></tr>
${rows.join("\n")}
</table></html>`;
}
