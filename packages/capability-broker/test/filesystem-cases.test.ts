import { runCaseFile } from "@glovebox/testkit/cases";
import { expect, test } from "vitest";

import { openFilesystemJudge } from "./judges/filesystem.ts";

// `npm run cases -- filesystem` makes all that a case asks for.
const RACE_TRIES = 200;

test(
  "the file cases pass, or are skipped for a reason that is named",
  { timeout: 300_000 },
  async () => {
    await using suite = await openFilesystemJudge(RACE_TRIES);
    const report = await runCaseFile(
      new URL("./cases/filesystem.json", import.meta.url),
      suite.judge,
      { write: () => undefined },
    );
    expect(report.failed).toEqual([]);
    expect(report.passed.length).toBeGreaterThan(100);
  },
);
