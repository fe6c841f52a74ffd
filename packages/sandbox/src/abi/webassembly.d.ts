/**
 * @module The part of the WebAssembly JavaScript Interface (https://webassembly.github.io/spec/js-api/)
 * that the runner uses. Neither the ES library nor Node's types declare it, and the DOM's would
 * bring a browser along.
 */
declare namespace WebAssembly {
  type ExternKind = "function" | "memory" | "table" | "global" | "tag";
  type ExportValue = ((...args: never[]) => unknown) | Memory | object;
  type ImportValue = ((...args: never[]) => unknown) | ExportValue | number | bigint;
  type Exports = Readonly<Record<string, ExportValue>>;
  type Imports = Record<string, Record<string, ImportValue>>;

  class Module {
    constructor(bytes: Uint8Array);
    private readonly __module: never;
    static imports(module: Module): { module: string; name: string; kind: ExternKind }[];
    static exports(module: Module): { name: string; kind: ExternKind }[];
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
  class Table {
    set(index: number, value: unknown): void;
  }
  class Global {
    value: unknown;
  }
  class RuntimeError extends Error {}
  class CompileError extends Error {}
  class LinkError extends Error {}
  function validate(bytes: Uint8Array): boolean;
}
