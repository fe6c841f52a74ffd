import { createWasmValidator } from "@glovebox/wasm-validator";
import { describe, expect, it } from "vitest";

import { localEngine } from "./engine.ts";
import { importsOf, moduleOf } from "./module-bytes.ts";

async function allows(pattern: string, module: string, name: string): Promise<boolean> {
  const validator = createWasmValidator({ allowedImportPatterns: [pattern] });
  const decision = await validator.validate(moduleOf(importsOf([module, name])), localEngine);
  return decision.allowed;
}

describe("allowedImportPatterns", () => {
  it.each([
    ["env.abort", "env", "abort"],
    ["extism:host/env.*", "extism:host/env", "http_request"],
    ["extism:host/*.log_*", "extism:host/user", "log_info"],
    ["wasi_snapshot_preview1.{fd_write,fd_read}", "wasi_snapshot_preview1", "fd_read"],
    ["wasi:io/streams@0.2.0.drop", "wasi:io/streams@0.2.0", "drop"],
    ["**.**", "a/b", "c/d"],
    ["env.f?", "env", "f1"],
    ["env.f[0-9]", "env", "f7"],
    ["*.*", "env", ".hidden"],
    ["{a.b,c}.d", "a.b", "d"],
    ["!env.*", "!env", "x"],
    ["#env.*", "#env", "x"],
    ["env.+(a)", "env", "+(a)"],
    ["x/../env.f", "x/../env", "f"],
  ])("%s allows %s and %s", async (pattern, module, name) => {
    expect(await allows(pattern, module, name)).toBe(true);
  });

  it.each([
    ["env.*", "env.evil", "x"],
    ["env.*", "env", "a/b"],
    ["env.*", "Env", "x"],
    ["env.*", "env2", "x"],
    ["env.*", "env/", "x"],
    ["env.*", "/env", "x"],
    ["env.*", "./env", "x"],
    ["env.*", "x/../env", "x"],
    ["env.*", "xenv", "x"],
    ["extism:host/*.*", "extism:host", "env"],
    ["extism:host/*.*", "extism:host/env/evil", "x"],
    ["extism:host/env.*", "extism:host//env", "x"],
    ["extism:host/env.*", "extism:host\\env", "x"],
    ["*.abort", "a/b", "abort"],
    ["env.abort", "env", "abort2"],
    ["env.abort", "env", "abort/"],
    ["!env.*", "other", "x"],
    ["env.+(a)", "env", "aaa"],
    ["env.f?", "env", "f/"],
    ["a.b.c", "a", "b.c"],
  ])("%s does not allow %s and %s", async (pattern, module, name) => {
    expect(await allows(pattern, module, name)).toBe(false);
  });
});
