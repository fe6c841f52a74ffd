/** @module Problems as SARIF 2.1.0 (OASIS), for code scanners; only what the format requires. */
import type { FoundProblem } from "./inspect-manifest.ts";

const SCHEMA =
  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/** One log with one run. */
export function toSarif(problems: readonly FoundProblem[]): object {
  const rules = [...new Set(problems.map(({ code }) => code))].map((id) => ({ id }));
  return {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "glovebox", rules } },
        columnKind: "utf16CodeUnits",
        results: problems.map((problem) => ({
          ruleId: problem.code,
          ruleIndex: rules.findIndex(({ id }) => id === problem.code),
          level: problem.level,
          message: { text: problem.message },
          locations: [
            {
              physicalLocation: {
                artifactLocation: {
                  uri: problem.file.split("/").map(encodeURIComponent).join("/"),
                },
                ...regionOf(problem),
              },
            },
          ],
        })),
      },
    ],
  };
}

function regionOf({ line, column, byteOffset }: FoundProblem): object {
  if (line !== undefined) return { region: { startLine: line, startColumn: column ?? 1 } };
  return byteOffset === undefined ? {} : { region: { byteOffset, byteLength: 0 } };
}
