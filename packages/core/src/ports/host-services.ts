/** @module Everything that a plugin can reach, in one object for one plugin. */
import type { Decision } from "../decision/index.ts";
import type { FilePort } from "./files.ts";
import type { HttpPort } from "./http.ts";
import type { CallScope } from "./scope.ts";

/** Everything that a plugin can reach. */
export interface HostServices {
  readonly http: HttpPort;
  readonly files: FilePort;
  readonly variables: VariableStore;
  readonly functions: ReadonlyMap<string, HostFunction>;
  readonly config: ReadonlyMap<string, string>;
  log(
    scope: CallScope,
    level: "trace" | "debug" | "info" | "warn" | "error",
    message: string,
  ): void;
}

/** A function that the host application offers to plugins. A refusal's reason stays with the operator. */
export interface HostFunction {
  readonly parameters: readonly HostValueType[];
  readonly result: HostValueType | "none";
  call(scope: CallScope, args: readonly HostValue[]): Promise<Decision<HostValue | undefined>>;
}

/** A value that crosses to a host function: bytes are owned copies. */
export type HostValue = Uint8Array | number | bigint;

/** How a host function's parameter or result looks to it. */
export type HostValueType = "bytes" | "i32" | "i64" | "f64";

/** A plugin's lasting state, with a quota, outside its process. */
export interface VariableStore {
  get(scope: CallScope, key: string): Promise<Decision<Uint8Array | undefined>>;
  set(scope: CallScope, key: string, value: Uint8Array | undefined): Promise<Decision<void>>;
}
