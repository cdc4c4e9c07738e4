import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nodeProblem, versionProblem, whyInstall } from "./ensure-installed.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ensure-installed-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const lock = {
  packages: {
    "": { name: "proximal" },
    "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
    "node_modules/only-on-a-mac": { version: "1.0.0", integrity: "sha512-b", optional: true },
  },
};

function write(path: string, json: unknown): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify(json));
}

describe("whyInstall", () => {
  test("a fresh clone has no node_modules", () => {
    write("package-lock.json", lock);
    expect(whyInstall(root)).toBe("node_modules is missing");
  });

  test("what the lock asks for is there, an optional package of another platform is not: nothing to do", () => {
    write("package-lock.json", lock);
    write("node_modules/.package-lock.json", { packages: { "node_modules/a": lock.packages["node_modules/a"] } });
    expect(whyInstall(root)).toBeNull();
  });

  test("a package came into the lock since the installation", () => {
    write("package-lock.json", lock);
    write("node_modules/.package-lock.json", { packages: {} });
    expect(whyInstall(root)).toBe("node_modules/a is missing");
  });

  test("a package has another version than the lock", () => {
    write("package-lock.json", lock);
    write("node_modules/.package-lock.json", {
      packages: { "node_modules/a": { version: "0.9.0", integrity: "sha512-old" } },
    });
    expect(whyInstall(root)).toBe("node_modules/a is 0.9.0, package-lock.json wants 1.0.0");
  });
});

describe("versionProblem", () => {
  test("names what is too old, and what to do", () => {
    expect(versionProblem("v18.20.0", null)).toContain("this is Node v18.20.0");
    expect(versionProblem("v20.0.0", "9.8.1")).toContain("npm install --global npm@10");
    expect(versionProblem("v20.0.0", "10.0.0")).toBeNull();
  });
});

describe("nodeProblem", () => {
  test("an older Node needs the Node 24 that an install script puts in place", () => {
    expect(nodeProblem(root, "v20.11.0")).toContain("npm rebuild node");
    expect(nodeProblem(root, "v24.0.0")).toBeNull();
    write(join("node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node"), "");
    expect(nodeProblem(root, "v20.11.0")).toBeNull();
  });
});
