/** @module The shape of a uniformity rule: a small named function that reports all it finds. */
import type { Workspace } from "./workspace.ts";

/** Says where something is wrong, and what is expected. */
export type Report = (place: string, message: string) => void;

/** Looks at the whole workspace; its name is printed with what it finds. */
export type Rule = (workspace: Workspace, report: Report) => void;

/** One finding. */
export interface Problem {
  readonly rule: string;
  readonly place: string;
  readonly message: string;
}

/** Runs all rules and collects everything they report. */
export function problemsOf(workspace: Workspace, rules: readonly Rule[]): readonly Problem[] {
  const problems: Problem[] = [];
  for (const rule of rules) {
    rule(workspace, (place, message) => problems.push({ rule: rule.name, place, message }));
  }
  return problems;
}
