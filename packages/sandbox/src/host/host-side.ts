/** @module What the host keeps for the host calls of one command, made at the first of them. */
import type { CallScope } from "@glovebox/core/ports";

import { OpenFiles } from "./file-calls.ts";

/** The host's side of one command. */
export class HostSide {
  readonly openFiles: OpenFiles = new OpenFiles();
  /** One for all host calls of the command: ports find what it has used by its signal. */
  readonly scope: CallScope;
  readonly #abort = new AbortController();

  constructor(scope: CallScope) {
    this.scope = { ...scope, signal: AbortSignal.any([scope.signal, this.#abort.signal]) };
  }

  /** The command is over: its files are closed, and with a reason its host calls are aborted. */
  end(reason?: Error): void {
    if (reason !== undefined) this.#abort.abort(reason);
    void this.openFiles[Symbol.asyncDispose]();
  }
}
