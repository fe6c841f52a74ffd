import { runCaseFile } from "@glovebox/testkit/cases";
import { expect, test } from "vitest";

import { openNetworkJudge } from "./judges/network.ts";

test(
  "the network cases pass, or are skipped for a reason that is named",
  { timeout: 120_000 },
  async () => {
    const lines: string[] = [];
    await using suite = await openNetworkJudge();
    const report = await runCaseFile(
      new URL("./cases/network.json", import.meta.url),
      suite.judge,
      { write: (text) => lines.push(text) },
    );
    expect(report.failed).toEqual([]);
    expect(report.passed).toHaveLength(290);
    expect(report.skipped).toHaveLength(1);
    expect(lines.at(-1)).toMatch(/^cases: \d+ passed, 0 failed/);
  },
);
