import { readFile } from "node:fs/promises";

import { defineConfig } from "tsup";
import createWabt from "wabt";

// @boundaries-ignore the build configuration is shared
import { preset } from "../../tsup.preset.ts";

/** Compiles an imported .wat to its bytes. */
const wat = {
  name: "wat",
  setup(build: {
    onLoad(
      filter: { filter: RegExp },
      load: (file: { path: string }) => Promise<{ contents: Uint8Array; loader: "binary" }>,
    ): void;
  }) {
    build.onLoad({ filter: /\.wat$/ }, async ({ path }) => {
      const wabt = await createWabt();
      using module = Object.assign(
        wabt.parseWat(path, await readFile(path, "utf8"), { bulk_memory: true }),
        { [Symbol.dispose]: () => undefined },
      );
      module.validate();
      return { contents: module.toBinary({}).buffer, loader: "binary" };
    });
  },
};

const shared = preset(["index", "spawner/main"], { clean: false });

export default defineConfig([
  shared,
  // The runner is one file without dependencies: it starts before the host trusts anything.
  {
    ...shared,
    entry: { runner: "src/runner/main.ts" },
    format: ["cjs"],
    outExtension: () => ({ js: ".cjs" }),
    noExternal: [/^@glovebox\//],
    clean: false,
    sourcemap: false,
    minify: false,
    esbuildPlugins: [wat],
    esbuildOptions: (options) => {
      options.define = { "import.meta.url": '"file:///"' };
    },
  },
]);
