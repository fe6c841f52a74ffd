/**
 * @module Engines for tests. The first compiles in this process, which only tests may do: they
 * assemble their modules themselves. The others stand for an engine that is broken or hostile.
 */
import { allow, refuse } from "@glovebox/core/decision";
import type { Engine, EngineVerdict } from "@glovebox/core/ports";

/** V8 in this process. */
export const localEngine: Engine = {
  async validate(original) {
    try {
      const module = new WebAssembly.Module(original);
      return allow("test.engine", {
        imports: WebAssembly.Module.imports(module).map(({ module: from, name, kind }) => ({
          module: from,
          name,
          kind,
        })),
        exports: WebAssembly.Module.exports(module).map(({ name, kind }) => ({
          name,
          kind,
        })),
      });
    } catch (error) {
      return refuse("TEST_ENGINE", "test.engine", String(error));
    }
  },
};

/** Says yes, with this verdict, whatever it is given. */
export function engineSaying(
  verdict: unknown,
  onValidate = (_bytes: Uint8Array): void => {},
): Engine {
  return {
    async validate(original) {
      onValidate(original);
      return allow("test.engine", verdict as EngineVerdict);
    },
  };
}

/** Must not be asked. */
export const unreachableEngine: Engine = {
  validate: async () => {
    throw new Error("the engine was asked");
  },
};
