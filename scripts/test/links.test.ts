/** @module Every relative link of the repository's Markdown leads somewhere, headings included. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

import { expect, test } from "vitest";

import { ROOT } from "../published.ts";

const SKIPPED = new Set(["node_modules", "dist", "coverage", "glovebox-data", "scratch"]);
const LINK = /\[[^\]]*\]\(([^()\s]+)\)/g;
const WITH_SCHEME = /^[a-z][a-z0-9+.-]*:/i;

interface Link {
  readonly target: string;
  readonly line: number;
}

/** Links outside code; lines of code blocks stay as empty ones, so that numbers are right. */
function linksIn(text: string): readonly Link[] {
  const prose = text
    .replaceAll(/^```[\s\S]*?^```/gm, (block) => block.replaceAll(/[^\n]/g, ""))
    .replaceAll(/`[^`\n]*`(?!\])/g, "");
  return prose
    .split("\n")
    .flatMap((line, at) =>
      [...line.matchAll(LINK)].map(([, target = ""]) => ({ target, line: at + 1 })),
    );
}

/** The anchors of a page's headings, as forges make them. */
function anchorsIn(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "");
    anchors.add(plain.trim().replaceAll(" ", "-"));
  }
  return anchors;
}

/** What is wrong with a link of `file`, or `undefined`. */
function problemWith(root: string, file: string, target: string): string | undefined {
  if (WITH_SCHEME.test(target)) return undefined;
  const [path = "", anchor] = target.split("#");
  const place = path === "" ? join(root, file) : join(root, dirname(file), decodeURI(path));
  if (relative(root, place).startsWith("..")) return "leaves the repository";
  if (!existsSync(place)) return "leads nowhere";
  if (anchor === undefined || anchor === "" || statSync(place).isDirectory()) return undefined;
  if (!place.endsWith(".md")) return undefined;
  return anchorsIn(readFileSync(place, "utf8")).has(anchor) ? undefined : "names no heading";
}

const pages = globSync("**/*.md", {
  cwd: ROOT,
  exclude: (path) => path.split(sep).some((part) => SKIPPED.has(part)),
}).toSorted();

test("finds the pages that it is for", () => {
  expect(pages).toContain("README.md");
  expect(pages).toContain(join("packages", "core", "README.md"));
});

test.each(pages)("all links of %s resolve", (file) => {
  const broken = linksIn(readFileSync(join(ROOT, file), "utf8")).flatMap(({ target, line }) => {
    const problem = problemWith(ROOT, file, target);
    return problem === undefined ? [] : [`${file}:${line} ${target} ${problem}`];
  });
  expect(broken).toEqual([]);
});

test.each([
  ["README.md", "packages/nothing.md", "leads nowhere"],
  ["README.md", "../outside.md", "leaves the repository"],
  ["docs/glossary.md", "../README.md#no-such-heading", "names no heading"],
])("in %s a link to %s is found to be broken", (file, target, problem) => {
  expect(problemWith(ROOT, file, target)).toBe(problem);
});

test("links in code are none, and those around code are", () => {
  const text = "```md\n[a](b)\n```\n`[c](d)` [`e`](f)\n";
  expect(linksIn(text)).toEqual([{ target: "f", line: 4 }]);
});
