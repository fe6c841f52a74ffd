/**
 * @module References of a schema: each leads to an entry of its own `$defs`, none leads back to
 * itself, and written out they do not grow beyond a bound. Without this, a dozen definitions that
 * each refer twice to the next cost a host 2^12 checks of every value.
 */
import { MAX_SCHEMA_EXPANSION, MAX_SCHEMA_REF_DEPTH } from "../limits.ts";
import { isMap, type RuleContext } from "../rule.ts";
import { childPointer } from "../yaml/source-tree.ts";
import { childSchemas, type Subschema } from "./subschemas.ts";

const LOCAL = /^#\/\$defs\/([^/]+)$/;

/** Reports references that do not resolve, recurse, or multiply beyond the bound. */
export function checkReferences(
  context: RuleContext,
  root: Subschema,
  all: readonly Subschema[],
): void {
  const before = all.filter((subschema) => !resolves(context, root, subschema)).length;
  if (before > 0) return;
  const sizes = new Map<string, number>();
  const size = expandedSize(root, root, [], sizes);
  if (typeof size === "string") {
    context.report("MANIFEST_SCHEMA", root.pointer, { what: size });
  } else if (size > MAX_SCHEMA_EXPANSION) {
    context.report("MANIFEST_SCHEMA_COST", root.pointer, {
      what: "the schema's references multiply",
      expected: `at most ${MAX_SCHEMA_EXPANSION} subschemas with every reference written out`,
    });
  }
}

function resolves(context: RuleContext, root: Subschema, subschema: Subschema): boolean {
  const reference = subschema.value["$ref"];
  if (typeof reference !== "string" || targetOf(root, reference) !== undefined) return true;
  context.report("MANIFEST_SCHEMA", `${subschema.pointer}/$ref`, {
    what: "a reference leads nowhere that the host looks",
    expected: "#/$defs/NAME, with NAME in the $defs at the top of this schema",
    received: reference,
  });
  return false;
}

/** The definition that a reference names: a map, or `true` for a boolean schema. */
function targetOf(root: Subschema, reference: string): Subschema | true | undefined {
  const raw = LOCAL.exec(reference)?.[1];
  const defs = root.value["$defs"];
  // A percent sign would make two spellings of one name; so would a bad ~ escape.
  if (raw === undefined || raw.includes("%") || !isMap(defs)) return undefined;
  const name = raw.replaceAll("~1", "/").replaceAll("~0", "~");
  const value = Object.hasOwn(defs, name) ? defs[name] : undefined;
  if (typeof value === "boolean") return true;
  return isMap(value) ? { pointer: childPointer(`${root.pointer}/$defs`, name), value } : undefined;
}

/** Subschemas with every reference written out, or what makes that impossible. */
function expandedSize(
  root: Subschema,
  subschema: Subschema,
  path: readonly string[],
  sizes: Map<string, number>,
): number | string {
  let size = 1;
  for (const child of childSchemas(subschema, false)) {
    const childSize = expandedSize(root, child, path, sizes);
    if (typeof childSize === "string") return childSize;
    size += childSize;
  }
  const reference = subschema.value["$ref"];
  const target = typeof reference === "string" ? targetOf(root, reference) : undefined;
  if (typeof reference !== "string" || target === undefined || target === true) return size;
  if (path.includes(reference))
    return `the schema refers to itself: ${[...path, reference].join(" → ")}`;
  if (path.length >= MAX_SCHEMA_REF_DEPTH)
    return `references follow one another more than ${MAX_SCHEMA_REF_DEPTH} times`;
  const known = sizes.get(reference);
  const targetSize = known ?? expandedSize(root, target, [...path, reference], sizes);
  if (typeof targetSize === "string") return targetSize;
  sizes.set(reference, targetSize);
  return Math.min(size + targetSize, Number.MAX_SAFE_INTEGER);
}
