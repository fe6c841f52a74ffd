/** @module The end of a program by its own will, on its way out of the module. */
import { PluginFailure } from "../abi.ts";

/** `proc_exit`; where no program is expected to end, a failure of the plugin. */
export class ProcessExit extends PluginFailure {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("SANDBOX_PLUGIN_ERROR", `the plugin exited with code ${exitCode}`);
    this.exitCode = exitCode;
  }
}
