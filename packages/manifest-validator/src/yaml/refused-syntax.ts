/**
 * @module What the concrete syntax may not hold, found before anything is composed: tags (which
 * construct types), anchors and aliases (the "billion laughs", CWE-776), directives, several
 * documents, and more depth or nodes than the recursive composer should meet (CWE-674).
 * The parser of `yaml` that feeds this keeps its own stack and does not recurse.
 */
import { type CST, Lexer, Parser } from "yaml";

import { MAX_DEPTH, MAX_LEXEMES, MAX_NODES } from "../limits.ts";
import type { Position, ProblemList } from "../problem.ts";

/** Reads tokens that may be composed; reports everything refused and answers nothing instead. */
export function readTokens(
  text: string,
  positionOf: (offset: number) => Position,
  list: ProblemList,
): readonly CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    lexemes += 1;
    if (lexemes > MAX_LEXEMES) {
      tooMuch(list, positionOf(parser.offset), `at most ${MAX_LEXEMES} marks, words and spaces`);
      return undefined;
    }
    // Stopped here because unwinding a stack of 100,000 open brackets takes seconds.
    if (parser.stack.length > MAX_PARSER_STACK) {
      tooMuch(list, positionOf(parser.offset), DEPTH_SHAPE);
      return undefined;
    }
  }
  tokens.push(...parser.end());
  return checkSyntax(tokens, positionOf, list) ? tokens : undefined;
}

function checkSyntax(
  tokens: readonly CST.Token[],
  positionOf: (offset: number) => Position,
  list: ProblemList,
): boolean {
  const before = list.problems.length;
  let documents = 0;
  let nodes = 0;
  const pending: { readonly token: AnyToken; readonly depth: number }[] = [];
  for (const token of tokens.toReversed()) pending.push({ token, depth: 0 });

  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { token } = next;
    const depth = COLLECTIONS.has(token.type ?? "") ? next.depth + 1 : next.depth;
    const position = positionOf(token.offset ?? 0);
    if (token.type === "document") documents += 1;
    const refusedName =
      documents > 1 && token.type === "document" ? "a second document" : REFUSED[token.type ?? ""];
    if (refusedName !== undefined) {
      list.add("MANIFEST_YAML_FEATURE", "", position, {
        what: `a manifest may not hold ${refusedName}`,
        received: token.source ?? "---",
      });
    }
    if (depth > MAX_DEPTH) return tooMuch(list, position, DEPTH_SHAPE);
    nodes += (SCALARS.has(token.type ?? "") ? 1 : 0) + (token.items?.length ?? 0);
    if (nodes > MAX_NODES) return tooMuch(list, position, `at most ${MAX_NODES} keys and values`);
    for (const child of childrenOf(token).toReversed()) pending.push({ token: child, depth });
  }
  return list.problems.length === before;
}

/** The union of CST tokens and items, seen through the members that this walk needs. */
interface AnyToken {
  readonly type?: string;
  readonly offset?: number;
  readonly source?: string;
  readonly start?: AnyToken | readonly AnyToken[];
  readonly props?: readonly AnyToken[];
  readonly key?: AnyToken | null;
  readonly sep?: readonly AnyToken[];
  readonly value?: AnyToken | null;
  readonly items?: readonly AnyToken[];
  readonly end?: readonly AnyToken[];
}

const REFUSED: Readonly<Record<string, string>> = {
  anchor: "an anchor",
  alias: "an alias",
  tag: "a tag",
  directive: "a directive",
};
const COLLECTIONS: ReadonlySet<string> = new Set(["block-map", "block-seq", "flow-collection"]);
const SCALARS: ReadonlySet<string> = new Set([
  "scalar",
  "single-quoted-scalar",
  "double-quoted-scalar",
  "block-scalar",
]);
const DEPTH_SHAPE = `at most ${MAX_DEPTH} nested maps and lists`;
// The parser also keeps the document, and one scalar at the end.
const MAX_PARSER_STACK = MAX_DEPTH + 2;

function childrenOf(token: AnyToken): AnyToken[] {
  const children: AnyToken[] = [];
  for (const part of [
    token.start,
    token.props,
    token.key,
    token.sep,
    token.value,
    token.items,
    token.end,
  ]) {
    if (part === undefined || part === null) continue;
    if (Array.isArray(part)) {
      for (const child of part as readonly AnyToken[]) children.push(child);
    } else {
      children.push(part as AnyToken);
    }
  }
  return children;
}

function tooMuch(list: ProblemList, position: Position, expected: string): false {
  list.add("MANIFEST_SIZE", "", position, {
    what: "the manifest goes beyond its bounds",
    expected,
  });
  return false;
}
