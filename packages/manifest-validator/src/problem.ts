/**
 * @module One problem in a manifest, and the bounded list that collects all of them in one go
 * (style: a validator reports everything at once). Text from the manifest is attacker-controlled
 * and enters messages only escaped and cut.
 */
import { received as quoteReceived, sanitizeForMessage } from "@glovebox/core/errors";

import { MANIFEST_ERRORS, type ManifestErrorCode } from "./errors.ts";
import { MAX_PROBLEMS } from "./limits.ts";

/** A place in the source text, both from 1; columns count UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong, or in {@link ManifestResult} `warnings`, suspicious. */
export interface Problem extends Position {
  readonly code: ManifestErrorCode;
  /** One line for the operator: what, where, expected, received. */
  readonly message: string;
  /** JSON pointer (RFC 6901) to the value, or to the map that lacks it; empty for the whole. */
  readonly path: string;
  /** What to do. */
  readonly advice: string;
  readonly expected?: string;
  /** The value found, escaped and cut at 200 characters. */
  readonly received?: string;
}

/** What a check knows of a problem besides its code and place. */
export interface ProblemFacts {
  /** What is wrong; default: the code's summary. */
  readonly what?: string;
  readonly expected?: string;
  /** The value found; quoted here. */
  readonly received?: unknown;
}

/** The list that checks write to. */
export interface ProblemList {
  add(code: ManifestErrorCode, path: string, position: Position, facts?: ProblemFacts): void;
  readonly problems: readonly Problem[];
}

/** Makes an empty list; beyond {@link MAX_PROBLEMS} only one last entry says that there are more. */
export function createProblemList(): ProblemList {
  const problems: Problem[] = [];
  return {
    problems,
    add(code, path, position, facts = {}) {
      if (problems.length > MAX_PROBLEMS) return;
      problems.push(
        problems.length === MAX_PROBLEMS
          ? describeProblem("MANIFEST_TOO_MANY_PROBLEMS", "", position, {})
          : describeProblem(code, path, position, facts),
      );
    },
  };
}

/** Problems in the order of the text; the note that there are more stays last. */
export function inTextOrder(problems: readonly Problem[]): readonly Problem[] {
  const last = (problem: Problem): number =>
    problem.code === "MANIFEST_TOO_MANY_PROBLEMS" ? 1 : 0;
  return problems.toSorted((a, b) => last(a) - last(b) || a.line - b.line || a.column - b.column);
}

function describeProblem(
  code: ManifestErrorCode,
  path: string,
  position: Position,
  facts: ProblemFacts,
): Problem {
  const entry = MANIFEST_ERRORS[code];
  const received = "received" in facts ? quoteReceived(facts.received) : undefined;
  const where = `line ${position.line}, column ${position.column}${path === "" ? "" : ` (${path})`}`;
  const expectation = facts.expected === undefined ? "" : `; expected ${facts.expected}`;
  const finding = received === undefined ? "" : `; received ${received}`;
  return Object.freeze({
    code,
    message: sanitizeForMessage(
      `${facts.what ?? entry.summary} at ${where}${expectation}${finding}`,
    ),
    path: sanitizeForMessage(path),
    line: position.line,
    column: position.column,
    advice: entry.advice,
    ...(facts.expected === undefined ? {} : { expected: facts.expected }),
    ...(received === undefined ? {} : { received }),
  });
}
