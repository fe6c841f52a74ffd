/**
 * @module Landlock (landlock(7)): a thread gives up files, ports and other processes, for good, for
 * itself and for whatever it starts afterwards. Other threads of its process are not affected.
 * Numbers from linux/landlock.h.
 */
import { closeSync, openSync } from "node:fs";

import { callFailed } from "../errors.ts";
import { O_PATH } from "../files/file-calls.ts";
import { setNoNewPrivileges } from "./process-control.ts";
import type { SystemCalls } from "./system-calls.ts";

const CREATE_RULESET_VERSION = 1;
const RULE_PATH_BENEATH = 1;

const EXECUTE = 1n << 0n;
const READ_FILE = 1n << 2n;
/** Rights over files, each with the version that brought it: all that there are. */
const FILE_RIGHTS: readonly (readonly [version: number, rights: bigint])[] = [
  [1, (1n << 13n) - 1n], // execute, write, read, list, remove, make
  [2, 1n << 13n], // refer: link and rename between folders
  [3, 1n << 14n], // truncate
  [5, 1n << 15n], // ioctl of devices
];
/** TCP: bind and connect. */
const PORT_RIGHTS_SINCE = 4;
const PORT_RIGHTS = 0b11n;
/** Abstract Unix sockets and signals of those outside. */
const SCOPES_SINCE = 6;
const SCOPES = 0b11n;

/** The version of the kernel's Landlock; 0 = it has none, or it is switched off. */
export function landlockVersion(calls: SystemCalls): number {
  return Math.max(0, calls.call("landlock_create_ruleset", 0, 0, CREATE_RULESET_VERSION));
}

/**
 * Confines the thread that calls, with every right that the kernel's version can take away: no file
 * but `readable` ones, which can be read and run (folders: everything beneath), no TCP port (since
 * version 4), and of the processes outside no signal and no abstract Unix socket (since 6). Sets
 * no_new_privs. Open files and sockets stay usable.
 *
 * Threads of the process's pool that begin afterwards on behalf of this thread would inherit it:
 * see to it that they run before.
 *
 * @throws {@link LinuxError} (`LINUX_CALL_FAILED`)
 */
export function confineThread(calls: SystemCalls, readable: readonly string[]): void {
  const version = landlockVersion(calls);
  const files = FILE_RIGHTS.filter(([since]) => since <= version).reduce(
    (all, [, rights]) => all | rights,
    0n,
  );
  // struct landlock_ruleset_attr: files, ports, scopes; zeros at its end are for older kernels as well.
  const attributes = BigUint64Array.of(
    files,
    version >= PORT_RIGHTS_SINCE ? PORT_RIGHTS : 0n,
    version >= SCOPES_SINCE ? SCOPES : 0n,
  );
  const ruleset = make(
    calls,
    "landlock_create_ruleset",
    calls.addressOf(new Uint8Array(attributes.buffer)),
    attributes.byteLength,
    0,
  );
  try {
    // struct landlock_path_beneath_attr, packed: u64 rights, s32 descriptor.
    const rule = new DataView(new ArrayBuffer(12));
    const ruleAddress = calls.addressOf(new Uint8Array(rule.buffer));
    rule.setBigUint64(0, EXECUTE | READ_FILE, true);
    for (const path of readable) {
      const descriptor = openSync(path, O_PATH);
      rule.setInt32(8, descriptor, true);
      make(calls, "landlock_add_rule", ruleset, RULE_PATH_BENEATH, ruleAddress, 0);
      closeSync(descriptor);
    }
    setNoNewPrivileges(calls);
    make(calls, "landlock_restrict_self", ruleset, 0);
  } finally {
    closeSync(ruleset);
  }
}

function make(
  calls: SystemCalls,
  name: "landlock_create_ruleset" | "landlock_add_rule" | "landlock_restrict_self",
  ...args: readonly (number | bigint)[]
): number {
  const result = calls.call(name, ...args);
  if (result < 0) throw callFailed(name, -result);
  return result;
}
