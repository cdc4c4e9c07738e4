import { escapeMarkup as html } from "./markup.ts";

/** A column of a table: numbers stand to the right, sentences get room; `help` is said below the table. */
export interface Column {
  readonly name: string;
  readonly numeric?: boolean;
  readonly wide?: boolean;
  readonly help?: string;
}

/** A cell: text, or text with a tone ("good", "warn", "bad": a coloured word, never colour alone) or a link inside the report. */
export type Cell = string | { readonly text: string; readonly tone?: "good" | "warn" | "bad"; readonly href?: string };

export type Block =
  | { readonly kind: "text"; readonly text: string; readonly soft?: boolean }
  | { readonly kind: "list"; readonly items: readonly Cell[] }
  | {
      readonly kind: "table";
      readonly head: readonly (string | Column)[];
      /** The first cell of a row names it. */
      readonly rows: readonly (readonly Cell[])[];
      readonly caption?: string;
    }
  /** `svg` is made by this folder's charts, which escape what they are given; it is the only markup taken as it is. */
  | { readonly kind: "plot"; readonly svg: string; readonly caption?: string }
  /** Big figures, side by side. */
  | { readonly kind: "figures"; readonly figures: readonly { readonly name: string; readonly value: string }[] }
  /** Side by side where there is room. */
  | { readonly kind: "beside"; readonly blocks: readonly Block[] };

export interface Section {
  /** No title for what stands below the page's title. */
  readonly title?: string;
  /** For links to it. */
  readonly id?: string;
  readonly blocks: readonly Block[];
}

/** A page that needs nothing but itself: no script, no font, no image from elsewhere; light, dark and on paper. */
export function htmlPage({
  title,
  sections,
}: {
  readonly title: string;
  readonly sections: readonly Section[];
}): string {
  const named = sections.map((section, k) => ({ ...section, id: section.id ?? `section-${k + 1}` }));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${html(title)}</h1>
${contents(named)}${named.map(sectionHtml).join("\n")}
</main>
</body>
</html>
`;
}

type NamedSection = Section & { readonly id: string };

function contents(sections: readonly NamedSection[]): string {
  const titled = sections.filter(({ title }) => title !== undefined);
  if (titled.length < 4) return "";
  const links = titled.map(({ title = "", id }) => `<li><a href="#${html(id)}">${html(title)}</a></li>`);
  return `<nav aria-label="Contents"><ul>${links.join("")}</ul></nav>\n`;
}

const sectionHtml = ({ title, id, blocks }: NamedSection): string =>
  `<section id="${html(id)}">\n${title === undefined ? "" : `<h2>${html(title)}</h2>\n`}${blocks.map(blockHtml).join("\n")}\n</section>`;

function blockHtml(block: Block): string {
  switch (block.kind) {
    case "text":
      return `<p${block.soft === true ? ' class="soft"' : ""}>${html(block.text)}</p>`;
    case "list":
      return `<ul>${block.items.map((item) => `<li>${cellHtml(item)}</li>`).join("")}</ul>`;
    case "table":
      return tableHtml(block);
    case "plot":
      return plotHtml(block);
    case "figures":
      return `<dl class="figures">${block.figures.map(({ name, value }) => `<div><dt>${html(name)}</dt><dd>${html(value)}</dd></div>`).join("")}</dl>`;
    case "beside":
      return `<div class="beside">\n${block.blocks.map(blockHtml).join("\n")}\n</div>`;
  }
}

function plotHtml({ svg, caption }: Extract<Block, { kind: "plot" }>): string {
  if (!svg.startsWith("<svg ")) throw new Error("a plot of a page is an SVG element of src/queries/plots");
  return `<figure>\n${svg}${caption === undefined ? "" : `\n<figcaption>${html(caption)}</figcaption>`}\n</figure>`;
}

function tableHtml({ head, rows, caption }: Extract<Block, { kind: "table" }>): string {
  const columns = head.map((column): Column => (typeof column === "string" ? { name: column } : column));
  const side = (k: number): string =>
    columns[k]?.numeric === true ? ' class="number"' : columns[k]?.wide === true ? ' class="wide"' : "";
  const headCells = columns.map(({ name }, k) => `<th scope="col"${side(k)}>${html(name)}</th>`).join("");
  const body = rows.map(([first = "", ...cells]) => {
    const rest = cells.map((cell, k) => `<td${side(k + 1)}>${cellHtml(cell)}</td>`).join("");
    return `<tr><th scope="row">${cellHtml(first)}</th>${rest}</tr>`;
  });
  const help = columns.flatMap((column) => (column.help === undefined ? [] : [`${column.name}: ${column.help}`]));
  const name = html(caption ?? columns.map((column) => column.name).join(", "));
  const visible = caption === undefined ? "" : `<caption>${html(caption)}</caption>`;
  // A region that scrolls must be reachable by the keyboard.
  return (
    `<div class="scroll" role="region" aria-label="${name}" tabindex="0"><table>${visible}<thead><tr>${headCells}</tr></thead>` +
    `<tbody>\n${body.join("\n")}\n</tbody></table></div>${help.length === 0 ? "" : `<p class="soft">${html(help.join(". "))}.</p>`}`
  );
}

function cellHtml(cell: Cell): string {
  if (typeof cell === "string") return html(cell);
  const { text, tone, href } = cell;
  const written = tone === undefined ? html(text) : `<span class="${tone}">${html(text)}</span>`;
  if (href === undefined) return written;
  if (!/^(#|[\w-]+\.(html|svg)(#|$))/.test(href))
    throw new Error(`a link of a report leads to the report or a file beside it, not to ${href}`);
  return `<a href="${html(href)}">${written}</a>`;
}

const lightRules =
  "--text: #1b1b1f; --soft: #5c5c66; --line: #d8d8e0; --page: #ffffff; --link: #1d5fb4; --good: #17703f; --warn: #8f4a00; --bad: #b01818;";

const style = `
:root { color-scheme: light dark; ${lightRules} }
@media (prefers-color-scheme: dark) {
  :root { --text: #ececf1; --soft: #a5a5b0; --line: #3a3a44; --page: #17171b; --link: #7db3f5; --good: #6fce9b; --warn: #f0a35e; --bad: #f58a8a; }
}
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; } p { margin: .4rem 0; max-width: 46rem; }
a { color: var(--link); } nav ul { padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; }
.scroll { overflow-x: auto; margin: .6rem 0; } .soft, figcaption { color: var(--soft); font-size: .9rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); font-weight: normal; }
thead th { color: var(--soft); vertical-align: bottom; } .number { text-align: right; white-space: nowrap; } .wide { min-width: 13rem; } tbody th { min-width: 7rem; }
.good { color: var(--good); font-weight: 600; } .warn { color: var(--warn); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
.figures { display: flex; flex-wrap: wrap; gap: .6rem 2.2rem; margin: .8rem 0; } .figures dt { color: var(--soft); font-size: .9rem; } .figures dd { margin: 0; font-size: 1.4rem; }
.beside { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-start; } .beside > * { flex: 1 1 22rem; min-width: 0; }
figure { margin: .8rem 0; max-width: 44rem; } figure svg { display: block; max-width: 100%; height: auto; }
@media print { :root { color-scheme: light; ${lightRules} } nav { display: none; } body { font-size: 12px; } .wide { min-width: 9rem; } tbody th { min-width: 5rem; } .scroll { overflow: visible; } figure, tr, h2 { break-inside: avoid; } h2 { break-after: avoid; } }
`;
