/**
 * @module Which WebAssembly modules the plugin consists of: either `wasm` or `modules`, each path
 * inside the package and in normal form, each name once and none that could stand for the host.
 */
import { MAX_MODULE_NAME_CHARACTERS, MAX_MODULES } from "../limits.ts";
import { checkRequired, isMap, listAt, mapAt, type Rule, reportType, textAt } from "../rule.ts";
import { childPointer } from "../yaml/source-tree.ts";
import { isPackagePath, PACKAGE_PATH_SHAPE } from "./path-shape.ts";

const MODULE_KEYS = ["name", "path"];
// No colon or slash: a module called extism:host/env would answer in the host's place.
const MODULE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
const HOST_MODULE_NAMES: ReadonlySet<string> = new Set(["wasi_snapshot_preview1", "wasi_unstable"]);

/** Exactly one of `wasm` and `modules` is there. */
export const modulesAreGivenOnce: Rule = (context) => {
  const plugin = mapAt(context, "/plugin");
  if (plugin === undefined) return;
  const given = ["wasm", "modules"].filter((key) => Object.hasOwn(plugin, key));
  if (given.length === 1) return;
  context.report("MANIFEST_MODULES", given.length === 0 ? "/plugin" : "/plugin/modules", {
    what:
      given.length === 0 ? "neither wasm nor modules is given" : "both wasm and modules are given",
    expected: "exactly one of wasm and modules",
  });
};

/** `wasm` is a path in the package. */
export const wasmPathIsNormal: Rule = (context) => {
  const path = textAt(context, "/plugin/wasm");
  if (path === undefined || isPackagePath(path)) return;
  context.report("MANIFEST_PATH", "/plugin/wasm", { expected: PACKAGE_PATH_SHAPE, received: path });
};

/** `modules` lists maps of name and path. */
export const moduleEntriesAreValid: Rule = (context) => {
  const modules = listAt(context, "/plugin/modules", MAX_MODULES);
  if (modules?.length === 0) {
    context.report("MANIFEST_MODULES", "/plugin/modules", {
      what: "modules is empty",
      expected: "at least one module, the main one last",
    });
  }
  const names = new Set<string>();
  for (const [index, entry] of (modules ?? []).entries()) {
    const pointer = childPointer("/plugin/modules", index);
    if (!isMap(entry)) {
      reportType(context, pointer, "a map of name and path", entry);
      continue;
    }
    checkRequired(context, pointer, MODULE_KEYS);
    for (const key of Object.keys(entry)) {
      if (MODULE_KEYS.includes(key)) continue;
      context.reportUnknownKey(childPointer(pointer, key), {
        expected: `one of ${MODULE_KEYS.join(", ")}`,
        received: key,
      });
    }
    const path = textAt(context, `${pointer}/path`);
    if (path !== undefined && !isPackagePath(path)) {
      context.report("MANIFEST_PATH", `${pointer}/path`, {
        expected: PACKAGE_PATH_SHAPE,
        received: path,
      });
    }
    const name = textAt(context, `${pointer}/name`);
    if (name === undefined) continue;
    const isWellFormed = name.length <= MAX_MODULE_NAME_CHARACTERS && MODULE_NAME.test(name);
    if (!isWellFormed || names.has(name) || HOST_MODULE_NAMES.has(name)) {
      context.report("MANIFEST_MODULES", `${pointer}/name`, {
        what: names.has(name) ? "two modules have one name" : "a module's name is not usable",
        expected: `1–${MAX_MODULE_NAME_CHARACTERS} of letters, digits, _ . and -, each name once, none of the host's`,
        received: name,
      });
    }
    names.add(name);
  }
};
