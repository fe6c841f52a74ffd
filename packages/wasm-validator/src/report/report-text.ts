/**
 * @module A report as lines for people. Names come from the module: whoever prints the lines encodes
 * them for the medium.
 */
import type { Bounds, ModuleFacts } from "../facts/module-facts.ts";
import type { ModuleReport } from "./report.ts";

/** The report, a line for each thing; the findings are left to the caller. */
export function describeModule(report: ModuleReport): readonly string[] {
  const { sections, imports, exports, capabilities, facts } = report;
  return [
    ...(facts === undefined ? [] : [`can ${capabilities.join(", ") || "only compute"}`]),
    ...(facts === undefined ? [] : factLines(facts)),
    ...imports.map(({ module, name, kind, type }) => `imports ${kind} ${module}.${name} ${type}`),
    ...exports.map(({ name, kind, type }) => `exports ${kind} ${name} ${type}`),
    ...sections.map(({ name, size, offset }) => `section ${name}: ${size} bytes at ${offset}`),
  ];
}

function* factLines(facts: ModuleFacts): Generator<string> {
  const { features, memories, tables, counts, code, claims, costs } = facts;
  yield `features ${features.join(", ") || "of WebAssembly 1.0 only"}`;
  for (const memory of memories) yield `memory ${boundsText(memory, "pages")}`;
  for (const table of tables) yield `table of ${table.element} ${boundsText(table, "elements")}`;
  yield `functions ${counts.functions - counts.importedFunctions}, ${code.operators} operators, ${code.loops} loops, ${code.calls} calls, ${code.indirectCalls} indirect`;
  for (const { index, bytes, operators, locals, nesting, offset } of code.largest.slice(0, 3)) {
    yield `largest function ${index}: ${bytes} bytes, ${operators} operators, ${locals} locals, nesting ${nesting}, at ${offset}`;
  }
  yield `data ${counts.dataBytes} bytes in ${counts.dataSegments} segments, ${counts.elements} elements`;
  yield `cost ${costs.compile} to compile, ${costs.instantiate} to instantiate`;
  for (const { field, name, version } of claims.producers) {
    yield `claims ${field} ${`${name} ${version}`.trimEnd()}`;
  }
  for (const { name, version, section } of claims.dependencies) {
    yield `claims dependency ${`${name} ${version}`.trimEnd()} (${section})`;
  }
}

function boundsText({ minimum, maximum, imported }: Bounds, unit: string): string {
  const most = maximum === null ? "no maximum" : `at most ${maximum}`;
  return `${minimum} ${unit}, ${most}${imported ? ", imported" : ""}`;
}
