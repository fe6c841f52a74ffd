/** @module What a runner says of itself in HELLO, before any plugin byte. */

/** The content of HELLO. */
export interface Hello {
  readonly node: string;
  /** What it restricted itself with; `none` = it could not, so it may outlive its host. */
  readonly systemCalls: "node:ffi" | "koffi" | "none";
  /** What it tried and was refused. `network` is only ever refused by Node 26 and newer. */
  readonly denied: {
    readonly files: boolean;
    readonly processes: boolean;
    readonly threads: boolean;
    readonly network: boolean;
  };
}
