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
  /** Why no filter of system calls is in force; `undefined` = one is. */
  readonly unfiltered?: string;
  /** CPU time after which the kernel ends this process, milliseconds; `null` = never. */
  readonly lifeCpuMs: number | null;
  /** How long the lock-down took, milliseconds. */
  readonly lockDownMs: number;
  /** Of a canary that can make system calls: what it was answered before it restricted itself. */
  readonly outside?: OutsideReport;
  /** Of a canary whose filter is in force. */
  readonly canary?: CanaryReport;
}

/** What a canary was answered from outside by what stands around it; errno as a negative number. */
export interface OutsideReport {
  /** Opening the root folder, and one that every Linux has. */
  readonly root: number;
  readonly proc: number;
  /** Taking a port of the loopback interface. */
  readonly port: number;
}

/** What a canary found out about its filter. */
export interface CanaryReport {
  /** The program that it loaded, in base64. */
  readonly program: string;
  /** What each call was answered that must not be made; errno as a negative number. */
  readonly attempts: Readonly<Record<string, number>>;
}
