/** @module What the tables of the root README claim: every package, and the sizes that are enforced. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import sizes from "../../.size-limit.ts";
import { ROOT } from "../published.ts";

const readme = readFileSync(join(ROOT, "README.md"), "utf8");

test("the table has each package once", () => {
  const rows = [...readme.matchAll(/^\| \[`([a-z-]+)`\]\((?:packages|apps)\/\1\)/gm)];
  const folders = ["packages", "apps"].flatMap((kind) => readdirSync(join(ROOT, kind)));
  expect(rows.map(([, name = ""]) => name).toSorted()).toEqual(folders.toSorted());
});

test.each(sizes.filter(({ name }) => !name.includes(".")))(
  "the table has the size budget of $name",
  ({ name, limit }) => {
    const row = readme.split("\n").find((line) => line.startsWith(`| [\`${name}\`](packages/`));
    expect(row).toContain(`| ${limit}`);
  },
);
