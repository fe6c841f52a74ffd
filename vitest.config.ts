/**
 * @module One test run for the whole repository: a project per folder that has tests, named after it
 * (`vitest run --project limiter`). Packages resolve to their source, so nothing is built first but
 * what only exists built (the runner, the plugins).
 */
import { globSync } from "node:fs";
import { basename } from "node:path";

import { defineConfig } from "vitest/config";

const folders = globSync(["packages/*", "apps/*", "plugins/*", "bench", "scripts"]).filter(
  (folder) => globSync(`${folder}/test/**/*.test.ts`).length > 0,
);

export default defineConfig({
  ssr: { resolve: { conditions: ["@glovebox/source"] } },
  test: {
    reporters: ["default", "./scripts/test-summary.ts"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // A busy machine can starve one test; the summary names whatever passed only at the second try.
    retry: Number(process.env["GLOVEBOX_TEST_RETRIES"] ?? 0),
    setupFiles: ["./scripts/fail-on-console.ts"],
    coverage: {
      provider: "v8",
      autoAttachSubprocess: true,
      include: ["packages/*/src/**/*.ts", "apps/*/src/**/*.ts"],
      reporter: ["text-summary", "json-summary"],
    },
    projects: folders.map((folder) => ({
      extends: true as const,
      test: { name: basename(folder), include: [`${folder}/test/**/*.test.ts`] },
    })),
  },
});
