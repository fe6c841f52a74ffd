/** @module Golden cases: test/cases/NAME.yaml with what it must give beside it (UPDATE=1 rewrites). */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

import { parseManifest } from "@glovebox/manifest-validator";
import { describe, expect, it } from "vitest";

const folder = new URL("./cases/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

describe("golden manifests", () => {
  it.each(names)("%s gives what stands beside it", (name) => {
    const source = readFileSync(new URL(name, folder));
    expect(source.toString().startsWith("# Shows: ")).toBe(true);
    const result = parseManifest(source);
    const text = `${JSON.stringify(result, undefined, 2)}\n`;
    const expected = new URL(name.replace(/\.yaml$/, ".expected.json"), folder);
    if (process.env["UPDATE"] === "1") writeFileSync(expected, text);
    expect(text).toBe(readFileSync(expected, "utf8"));
  });
});
