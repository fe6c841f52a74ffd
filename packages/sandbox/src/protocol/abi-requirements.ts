/**
 * @module What each ABI asks of a module, as data: the runtime passes it to a validator, which need
 * not know any ABI. Contract.md 2; the imports of `extism:host/env` are those that its development
 * kits declare.
 */
import type { ExternKind } from "@glovebox/core/ports";

/** An import that a module of this ABI may have. */
export interface AllowedImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
}

/** What an ABI asks of the plugin's module. */
export interface AbiRequirements {
  readonly abi: Abi;
  readonly imports: readonly AllowedImport[];
  /** Modules from which any function may be imported: the host application's own. */
  readonly openModules: readonly string[];
  /** What the module must export. */
  readonly exports: readonly { readonly name: string; readonly kind: ExternKind }[];
}

/** The ABIs that this version runs. */
export type Abi = "flat" | "extism" | "wasi";

/** What a development kit may import of the kernel itself; the other kernel functions are the host's. */
export const EXTISM_KERNEL_IMPORTS = [
  "alloc",
  "free",
  "length",
  "length_unsafe",
  "load_u8",
  "load_u64",
  "store_u8",
  "store_u64",
  "input_length",
  "input_load_u8",
  "input_load_u64",
  "output_set",
  "error_set",
] as const;

const EXTISM_ENV = [
  ...EXTISM_KERNEL_IMPORTS,
  "config_get",
  "var_get",
  "var_set",
  "http_request",
  "http_status_code",
  "http_headers",
  "log_trace",
  "log_debug",
  "log_info",
  "log_warn",
  "log_error",
  "get_log_level",
] as const;

/** Every function of WASI preview 1 (`wasi_snapshot_preview1.witx`). */
export const WASI_PREVIEW_1 = [
  "args_get",
  "args_sizes_get",
  "environ_get",
  "environ_sizes_get",
  "clock_res_get",
  "clock_time_get",
  "random_get",
  "sched_yield",
  "proc_exit",
  "proc_raise",
  "fd_advise",
  "fd_allocate",
  "fd_close",
  "fd_datasync",
  "fd_fdstat_get",
  "fd_fdstat_set_flags",
  "fd_fdstat_set_rights",
  "fd_filestat_get",
  "fd_filestat_set_size",
  "fd_filestat_set_times",
  "fd_pread",
  "fd_prestat_get",
  "fd_prestat_dir_name",
  "fd_pwrite",
  "fd_read",
  "fd_readdir",
  "fd_renumber",
  "fd_seek",
  "fd_sync",
  "fd_tell",
  "fd_write",
  "path_create_directory",
  "path_filestat_get",
  "path_filestat_set_times",
  "path_link",
  "path_open",
  "path_readlink",
  "path_remove_directory",
  "path_rename",
  "path_symlink",
  "path_unlink_file",
  "poll_oneoff",
  "sock_accept",
  "sock_recv",
  "sock_send",
  "sock_shutdown",
] as const;

const WASI_IMPORTS: readonly AllowedImport[] = WASI_PREVIEW_1.map((name) => ({
  module: "wasi_snapshot_preview1",
  name,
  kind: "function",
}));

/** The requirements of every ABI. */
export const ABI_REQUIREMENTS: Readonly<Record<Abi, AbiRequirements>> = {
  flat: {
    abi: "flat",
    imports: [],
    openModules: [],
    exports: [
      { name: "memory", kind: "memory" },
      { name: "alloc", kind: "function" },
    ],
  },
  extism: {
    abi: "extism",
    imports: [
      ...EXTISM_ENV.map((name) => ({ module: "extism:host/env", name, kind: "function" }) as const),
      ...WASI_IMPORTS,
    ],
    openModules: ["extism:host/user"],
    exports: [],
  },
  wasi: { abi: "wasi", imports: WASI_IMPORTS, openModules: [], exports: [] },
};
