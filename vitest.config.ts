import { globSync } from "node:fs";
import { basename } from "node:path";
import { defineConfig } from "vitest/config";

const folders = globSync(["packages/*", "apps/*", "plugins/*", "bench", "scripts"]).filter(
  (folder) => globSync(`${folder}/test/**/*.test.ts`).length > 0,
);

export default defineConfig({
  ssr: { resolve: { conditions: ["@glovebox/source"] } },
  test: {
    // Plain text for people; the counts that scripts read come from scripts/test-summary.ts.
    reporters: ["default"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
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
