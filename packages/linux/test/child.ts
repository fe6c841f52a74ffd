/** @module Starts the programs beside the tests as children, and says why a test cannot run here. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { locateKoffi } from "@glovebox/linux";

const FLAGS = ["--conditions=@glovebox/source", "--experimental-strip-types", "--no-warnings"];
const run = promisify(execFile);

/** The back ends, each with what a child needs for it and for no other. */
export const BACK_ENDS = ["node:ffi", "koffi"] as const;
/** One of {@link BACK_ENDS}. */
export type BackEnd = (typeof BACK_ENDS)[number];

/** Why no test of /proc or of a system call can run here. */
export const notHere: string | undefined =
  process.platform === "linux" ? undefined : `needs Linux, runs on ${process.platform}`;

/** Why this back end cannot be tried here. */
export function unavailable(backEnd: BackEnd): string | undefined {
  if (notHere !== undefined) return notHere;
  if (backEnd === "koffi")
    return locateKoffi() === undefined ? "koffi is not installed" : undefined;
  return hasNodeFfi() ? undefined : `Node ${process.versions.node} has no node:ffi`;
}

/** What restricted-child.ts says of a task, with one back end or none at all. */
export async function runChild(task: string, backEnd?: BackEnd): Promise<unknown> {
  const { stdout } = await run(process.execPath, childArguments(task, backEnd));
  return JSON.parse(stdout);
}

/** Starts a spinning child below a parent of its own; answers once the child has restricted itself. */
export async function spinBelowParent(
  backEnd: BackEnd,
): Promise<{ readonly parent: ChildProcess; readonly childPid: number }> {
  const program = fileURLToPath(new URL("process/spawning-parent.ts", import.meta.url));
  const parent = spawn(
    process.execPath,
    [...FLAGS, program, ...childArguments("spin", backEnd).slice(FLAGS.length)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const { pid: childPid } = JSON.parse(line.toString()) as { pid: number };
  return { parent, childPid };
}

function childArguments(task: string, backEnd: BackEnd | undefined): string[] {
  const program = fileURLToPath(new URL("process/restricted-child.ts", import.meta.url));
  const withoutFfi = backEnd !== "node:ffi" && hasNodeFfi() ? ["--no-experimental-ffi"] : [];
  const koffi = backEnd === "koffi" ? (locateKoffi()?.entry ?? "") : "";
  return [...FLAGS, ...withoutFfi, program, task, ...(koffi === "" ? [] : [koffi])];
}

function hasNodeFfi(): boolean {
  return isBuiltin("node:ffi");
}
