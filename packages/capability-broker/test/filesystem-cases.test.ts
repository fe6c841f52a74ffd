import { runCaseFile } from "@glovebox/testkit/cases";
import { expect, test } from "vitest";

import { openFilesystemJudge } from "./judges/filesystem.ts";

test(
  "the file cases pass, or are skipped for a reason that is named",
  { timeout: 120_000 },
  async () => {
    await using suite = await openFilesystemJudge();
    const report = await runCaseFile(
      new URL("./cases/filesystem.json", import.meta.url),
      suite.judge,
      { write: () => undefined },
    );
    expect(report.failed).toEqual([]);
    expect(report.passed.length).toBeGreaterThan(100);
  },
);
