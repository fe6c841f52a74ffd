/** @module The module `spectest` that scripts import from (the specification's test/core/README.md). */

/** What is imported by name. */
export type ModuleImports = WebAssembly.Imports[string];

/** Constructors of the JavaScript interface that our types do not declare. */
const { Memory, Table } = WebAssembly as unknown as Readonly<
  Record<"Memory" | "Table", new (descriptor: object) => object>
>;

/** Fresh imports: a run must not see what another left in the memory. */
export function spectest(): ModuleImports {
  const ignore = (): void => {};
  return {
    print: ignore,
    print_i32: ignore,
    print_i64: ignore,
    print_f32: ignore,
    print_f64: ignore,
    print_i32_f32: ignore,
    print_f64_f64: ignore,
    global_i32: 666,
    global_i64: 666n,
    global_f32: Math.fround(666.6),
    global_f64: 666.6,
    table: new Table({ initial: 10, maximum: 20, element: "anyfunc" }),
    table64: new Table({ initial: 10n, maximum: 20n, element: "anyfunc", address: "i64" }),
    memory: new Memory({ initial: 1, maximum: 2 }),
    shared_memory: new Memory({ initial: 1, maximum: 2, shared: true }),
  };
}
