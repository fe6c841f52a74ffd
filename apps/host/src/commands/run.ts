/**
 * @module `glovebox run <dir|wasm> <function>`: one call of one plugin, in a process of its own as
 * always. The operator names the file, so that no signature is asked for, and there is no log to keep
 * of a single command.
 */
import { PluginRuntime } from "@glovebox/runtime";

import { usageError } from "../errors.ts";
import { MAX_INPUT_BYTES, MAX_PACKAGE_BYTES } from "../limits.ts";
import { readOperatorFile } from "../operator-file.ts";
import { assertPolicyFolders } from "../policy-folders.ts";
import { EXIT, fail, type Terminal } from "./command-line.ts";
import { inspectManifest, MANIFEST_FILE } from "./inspect-manifest.ts";
import { inspectBytes } from "./inspect-module.ts";
import { type CommandSource, openSource } from "./plugin-source.ts";
import {
  manifestFor,
  parseRunOptions,
  type RawRunOptions,
  type RunOptions,
} from "./run-options.ts";

/** Runs the command. */
export async function run(
  path: string,
  functionName: string,
  raw: RawRunOptions,
  terminal: Terminal,
): Promise<number> {
  const options = parseRunOptions(raw);
  await assertPolicyFolders(options.policy);
  const source = await openSource(path);
  if (source.kind === "package" && raw.abi !== undefined) {
    throw usageError("--abi is for a bare module; a package says it in its manifest");
  }
  const files = filesOf(source, raw, options);
  const id = inspectManifest(files).manifest?.id;
  const input = await readInput(raw.input ?? "", terminal);
  await using runtime = await PluginRuntime.open({
    resources: options.resources,
    policy: options.policy,
    // What may be read may be loaded: the operator named this very file.
    security: { enableAuditLogging: false, maxPluginSizeBytes: MAX_PACKAGE_BYTES },
    validation: { requireSignatures: false },
    ...(id === undefined ? {} : { pluginConfig: { [id]: options.config } }),
  });
  const loaded = await runtime.load({ files });
  if (!loaded.ok) return fail(terminal, loaded.error);
  const outcome = await runtime.executePluginFunction(loaded.plugin.id, functionName, {}, input);
  if (!outcome.ok) return fail(terminal, outcome.error);
  await terminal.out(outcome.output);
  return EXIT.ok;
}

function filesOf(
  source: CommandSource,
  { abi }: RawRunOptions,
  options: RunOptions,
): ReadonlyMap<string, Uint8Array> {
  if (source.kind === "package") return source.package.files;
  const chosen = abi ?? inspectBytes(source.bytes).abi;
  return new Map<string, Uint8Array>([
    [MANIFEST_FILE, Buffer.from(manifestFor(chosen, options))],
    ["module.wasm", source.bytes],
  ]);
}

async function readInput(text: string, { stdin }: Terminal): Promise<Uint8Array> {
  if (text.startsWith("@")) return readOperatorFile(text.slice(1), MAX_PACKAGE_BYTES);
  if (text !== "-") return Buffer.from(text);
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stdin) {
    const bytes = Buffer.from(piece);
    pieces.push(bytes);
    size += bytes.length;
    // The runtime refuses it with its own code: one byte too many is enough for that.
    if (size > MAX_INPUT_BYTES) break;
  }
  return Buffer.concat(pieces);
}
