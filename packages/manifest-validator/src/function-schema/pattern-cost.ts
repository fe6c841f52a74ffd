/**
 * @module How long a regular expression of a schema could take. The expression comes with the
 * plugin and will run in the host on texts that the plugin or a caller writes, and V8's matcher
 * backtracks (ReDoS, CWE-1333). So only expressions are accepted whose backtracking can be counted
 * from their text: at most one place that repeats without bound or starts anywhere, nothing that
 * repeats inside a repetition without bound, no look-around, no back-reference.
 */
import { MAX_PATTERN_CHARACTERS, MAX_PATTERN_WAYS, MAX_PATTERN_WAYS_PER_START } from "../limits.ts";

/** Why a pattern is too costly to accept, or `undefined` when it is cheap enough. */
export function patternObjection(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_CHARACTERS) return `it is longer than ${MAX_PATTERN_CHARACTERS}`;
  const cost = countWays(pattern);
  if (typeof cost === "string") return cost;
  if (cost.unbounded > 1) {
    return "it repeats without bound, or starts anywhere, in more than one place; anchor it with ^ and bound it with {n,m}";
  }
  return cost.ways > (cost.unbounded === 0 ? MAX_PATTERN_WAYS : MAX_PATTERN_WAYS_PER_START)
    ? "there are too many ways in which it could match"
    : undefined;
}

/**
 * Most ways in which a pattern could match a text: each costs the engine some 30 ns at worst. For
 * whoever runs the patterns of an accepted manifest and has a budget for all texts together.
 *
 * @param characters - Length of the text: a repetition has no more lengths to choose from
 * @returns Infinity for a pattern whose ways cannot be counted, which no manifest may have
 */
export function waysToMatch(pattern: string, characters: number): number {
  const cost = countWays(pattern, characters + 1);
  return typeof cost === "string" ? Infinity : cost.ways * (characters + 1) ** cost.unbounded;
}

interface Cost {
  /** Upper bound on the ways to match, unbounded repetition aside. */
  ways: number;
  /** Places that repeat without bound. */
  unbounded: number;
}

interface Group extends Cost {
  alternatives: number;
}

interface Repeat {
  readonly min: number;
  /** Infinity = without bound. */
  readonly max: number;
}

const QUANTIFIER = /(?:[*+?]|\{(\d{1,5})(?:(,)(\d{1,5})?)?\})\??/y;
const ESCAPE = /\\(?:[pPu]\{[^}]*\}|.)/suy;
const CLASS = /\[(?:\\.|[^\]\\])*\]/suy;
const GROUP_START = /\((?:\?:|\?<[A-Za-z_$][\w$]*>|(?!\?))/y;

/** Walks a pattern that the engine has already accepted with the flag `u`. */
function countWays(pattern: string, maxLengths = Infinity): Cost | string {
  const groups: Group[] = [{ ways: 1, unbounded: 0, alternatives: 1 }];
  let at = 0;
  const take = (shape: RegExp): RegExpExecArray | undefined => {
    shape.lastIndex = at;
    const match = shape.exec(pattern);
    if (match === null) return undefined;
    at = shape.lastIndex;
    return match;
  };

  while (at < pattern.length) {
    const top = groups.at(-1);
    if (top === undefined) return "it is not understood";
    const character = pattern[at];
    let atom: Cost = { ways: 1, unbounded: 0 };
    if (character === "|") {
      top.alternatives += 1;
      at += 1;
      continue;
    }
    if (character === "(") {
      if (take(GROUP_START) === undefined) return "it looks around or changes flags";
      groups.push({ ways: 1, unbounded: 0, alternatives: 1 });
      continue;
    }
    if (character === ")") {
      at += 1;
      groups.pop();
      atom = { ways: top.ways * top.alternatives, unbounded: top.unbounded };
    } else if (character === "\\") {
      const escape = take(ESCAPE)?.[0];
      if (escape === undefined || /^\\[1-9k]/.test(escape)) return "it refers back";
    } else if (character !== "[" || take(CLASS) === undefined) at += 1;

    const parent = groups.at(-1);
    if (parent === undefined) return "it is not understood";
    const repeat = readRepeat(take(QUANTIFIER));
    const isComposite = character === ")" && (atom.ways > 1 || atom.unbounded > 0);
    if (repeat.max === Infinity && isComposite)
      return "it repeats inside a repetition without bound";
    multiply(parent, atom, repeat, maxLengths);
    if (parent.ways > MAX_PATTERN_WAYS) return "there are too many ways in which it could match";
  }
  const whole = groups[0];
  if (whole === undefined || groups.length !== 1) return "it is not understood";
  const isAnchored = pattern.startsWith("^") && whole.alternatives === 1;
  return {
    ways: whole.ways * whole.alternatives,
    unbounded: whole.unbounded + (isAnchored ? 0 : 1),
  };
}

function readRepeat(match: RegExpExecArray | undefined): Repeat {
  const text = match?.[0][0];
  if (match === undefined || text === undefined) return { min: 1, max: 1 };
  if (text === "?") return { min: 0, max: 1 };
  if (text !== "{") return { min: 0, max: Infinity };
  const min = Number(match[1]);
  if (match[2] === undefined) return { min, max: min };
  return { min, max: match[3] === undefined ? Infinity : Number(match[3]) };
}

function multiply(group: Group, atom: Cost, repeat: Repeat, maxLengths: number): void {
  if (repeat.max === Infinity) {
    group.unbounded += 1;
    return;
  }
  // An atom that matches in one way may still have many lengths to choose from.
  group.ways *= atom.ways ** repeat.max * Math.min(repeat.max - repeat.min + 1, maxLengths);
  group.unbounded += atom.unbounded * repeat.max;
}
