/**
 * @module Descriptors as numbers, closed at the end of a block, and the file system's errors as
 * codes. Everything here is synchronous and runs in the file worker only.
 */
import * as fs from "node:fs";

import { LinuxError } from "@glovebox/linux";

import { BrokerError } from "../errors.ts";
import { FILE_SYSTEM_ANSWERS, fileError } from "./condition.ts";

/** An open descriptor. */
export class Descriptor implements Disposable {
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** A name inside this directory, which is the one that was opened whatever its path is by now. */
  inside(name: string): string {
    return `/proc/self/fd/${this.fd}/${name}`;
  }

  /** The object itself, for calls that only take paths. */
  get itself(): string {
    return `/proc/self/fd/${this.fd}`;
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.fd);
  }
}

/** Any error with a code of this package and its condition. */
export function codedError(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  const raw = errnoOf(error);
  // ENXIO: a special file that has no device.
  const answer = FILE_SYSTEM_ANSWERS.get(raw === "ENXIO" ? "ENOTSUP" : raw);
  const { code, condition } = answer ?? { code: "BROKER_FILE_IO", condition: "EIO" };
  return fileError(code, `the file system answered ${raw}`, condition, error);
}

/** The name of errno in an error, or what stands in its place. */
export function errnoOf(error: unknown): string {
  if (error instanceof LinuxError) return String(error.details["condition"]);
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  return String(code);
}

/** Runs; where the name is missing, answers `undefined`. */
export function unlessMissing<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "BROKER_FILE_NOT_FOUND") return undefined;
    throw error;
  }
}
