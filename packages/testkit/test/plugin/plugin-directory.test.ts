import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { pluginDirectory } from "@glovebox/testkit";
import "@glovebox/testkit/matchers";
import { expect, test } from "vitest";

test("writes text and bytes, also below folders, and removes them on dispose", async () => {
  let path: string;
  {
    await using directory = await pluginDirectory({
      "plugin.yaml": "plugin: {}",
      "assets/a/b.bin": Uint8Array.of(0, 255),
    });
    path = directory.path;
    expect(await readFile(join(path, "plugin.yaml"), "utf8")).toBe("plugin: {}");
    expect([...(await readFile(join(path, "assets/a/b.bin")))]).toEqual([0, 255]);
    expect([...directory.files.keys()]).toEqual(["plugin.yaml", "assets/a/b.bin"]);
  }
  expect(existsSync(path)).toBe(false);
});

test("gives every caller a directory of its own", async () => {
  await using first = await pluginDirectory({ a: "1" });
  await using second = await pluginDirectory({ a: "2" });
  expect(first.path).not.toBe(second.path);
});

test.each(["../outside", "a/../../outside", "/tmp/outside", "a//b", "./a", "", "a\\b"])(
  "refuses the name %j, which is not a path inside the directory",
  async (name) => {
    await expect(pluginDirectory({ [name]: "x" })).toThrowCode("TESTKIT_FILE_NAME");
  },
);

test("removes what it wrote when a later file cannot be written", async () => {
  await expect(pluginDirectory({ a: "file", "a/b": "below a file" })).rejects.toThrow(
    /EEXIST|ENOTDIR/,
  );
});
