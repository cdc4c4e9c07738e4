import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

/** Documents rot where nothing reads them: what they name must be there. */
const root = dirname(import.meta.dirname);
const documents = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.md"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\0")
  .filter((path) => path !== "" && existsSync(join(root, path)));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

describe.each(documents)("%s", (path) => {
  const text = read(path);
  const prose = text.replace(/^```[\s\S]*?^```/gm, "");

  test("links lead somewhere", () => {
    const broken = [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1] ?? "")
      .filter((link) => !/^(https?:|mailto:)/.test(link) && !leadsSomewhere(path, link));
    expect(broken).toEqual([]);
  });

  test("files it names in code are there", () => {
    const gone = [...prose.matchAll(/`((?:src|test|bin|docs|infra|load-tests|samples|\.ci)\/[^`\s]*)`/g)]
      .map((match) => match[1] ?? "")
      // `src/commands/...` and `docs/adr/NNNN-<what>.md` speak of a form, not of a file.
      .filter((name) => !/[<>*{…]|\.\.\.|NNNN|results\/local/.test(name) && !existsSync(join(root, name)));
    expect(gone).toEqual([]);
  });

  test("commands that it shows run when pasted into a clone: with npx before them", () => {
    // The README's own `proximal` is curl: it takes an address.
    const shown = [...text.matchAll(/^(?: {4})?(proximal [a-z].*)$/gm)].map((match) => match[1] ?? "");
    expect(shown.filter((line) => !/^proximal (-[a-z]+ )*'?localhost/.test(line))).toEqual([]);
  });

  test("scripts of npm that it names are there", () => {
    const scripts = Object.keys(JSON.parse(read("package.json")).scripts);
    const named = [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map((match) => match[1] ?? "");
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });
});

test("ARCHITECTURE.md leads through every folder of src", () => {
  const text = read("ARCHITECTURE.md");
  const folders = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => entry.parentPath.slice(root.length + 1))
    .filter((folder) => folder.split("/").length <= 3);
  expect([...new Set(folders)].filter((folder) => !text.includes(`${folder}/`))).toEqual([]);
});

function leadsSomewhere(from: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? from : normalize(join(dirname(from), decodeURIComponent(file)));
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || !target.endsWith(".md") || anchorsOf(read(target)).includes(anchor);
}

/** Headings as GitHub makes anchors of them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+\s+(.+)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-"),
  );
}
