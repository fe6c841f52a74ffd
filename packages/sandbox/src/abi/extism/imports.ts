/**
 * @module The imports of `extism:host/env` that reach beyond the kernel, and those of
 * `extism:host/user` (contract.md 2). The host frees the handles that the ABI says it owns.
 */
import { HOST_CALL, LOG_LEVELS } from "../../protocol/frame-table.ts";
import type { HostFunctionSignature, InstantiateSpec } from "../../protocol/instantiate-spec.ts";
import { decodeParts, encodeParts } from "../../protocol/parts.ts";
import { type HostBridge, PluginFailure } from "../abi.ts";
import type { Toll } from "../fuel.ts";
import type { Kernel } from "./kernel.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const LOG_LEVEL_INFO = LOG_LEVELS.indexOf("info");
const NO_BYTES = new Uint8Array(0);

/** What the last HTTP answer was, for `http_status_code` and `http_headers`. */
interface LastResponse {
  status: number;
  headersJson: string;
}

/** Both import namespaces, and their way back to the beginning. */
export interface ExtismImports {
  /** Both, with these functions of the kernel among them. */
  with(kernelImports: Readonly<Record<string, WebAssembly.ExportValue>>): WebAssembly.Imports;
  /** Forgets the last answer: it belongs to the call that asked for it. */
  reset(): void;
}

/** Builds both import namespaces around one kernel. */
export function extismImports(
  rawKernel: Kernel,
  spec: InstantiateSpec,
  host: HostBridge,
  toll: Toll,
): ExtismImports {
  const last: LastResponse = { status: 0, headersJson: "" };
  const kernel = tolled(rawKernel, toll);
  const take = (handle: bigint): Uint8Array => {
    const bytes = kernel.read(handle);
    kernel.free(handle);
    return bytes;
  };
  const env: Record<string, (...args: never[]) => unknown> = {
    config_get(key: bigint) {
      const name = decoder.decode(take(key));
      // Own keys only: "constructor" is no configuration.
      return Object.hasOwn(spec.config, name) ? kernel.writeText(spec.config[name] ?? "") : 0n;
    },
    var_get(key: bigint) {
      const answer = decodeParts(host(HOST_CALL.VARIABLE_GET, take(key)), 1);
      return answer?.[0] === undefined ? 0n : kernel.write(answer[0]);
    },
    var_set(key: bigint, value: bigint) {
      const name = take(key);
      host(HOST_CALL.VARIABLE_SET, encodeParts(value === 0n ? [name] : [name, take(value)]));
    },
    http_request(request: bigint, body: bigint) {
      const sent = encodeParts([take(request), body === 0n ? NO_BYTES : take(body)]);
      const [head, received] = decodeParts(host(HOST_CALL.HTTP, sent), 2) ?? [];
      const parsed = JSON.parse(decoder.decode(head)) as { status: number; headers: unknown };
      last.status = parsed.status;
      last.headersJson = JSON.stringify(parsed.headers);
      return received === undefined || received.length === 0 ? 0n : kernel.write(received);
    },
    http_status_code: () => last.status,
    http_headers: () => (last.headersJson === "" ? 0n : kernel.writeText(last.headersJson)),
    get_log_level: () => LOG_LEVEL_INFO,
  };
  for (const [level, name] of LOG_LEVELS.entries()) {
    env[`log_${name}`] = (message: bigint) => {
      const text = take(message);
      if (level >= LOG_LEVEL_INFO) host(HOST_CALL.LOG, encodeParts([Uint8Array.of(level), text]));
    };
  }
  const user: Record<string, (...args: never[]) => unknown> = {};
  for (const [index, signature] of spec.hostFunctions.entries()) {
    user[signature.name] = userFunction(index, signature, kernel, host);
  }
  const imports = { env: atPrice(env, toll), user: atPrice(user, toll) };
  return {
    with: (kernelImports) => ({
      "extism:host/env": { ...kernelImports, ...imports.env },
      "extism:host/user": imports.user,
    }),
    reset() {
      last.status = 0;
      last.headersJson = "";
    },
  };
}

/** The kernel, with a price on the bytes that move between it and us. */
function tolled(kernel: Kernel, toll: Toll): Pick<Kernel, "free" | "read" | "write" | "writeText"> {
  return {
    free: (handle) => kernel.free(handle),
    read(handle) {
      const bytes = kernel.read(handle);
      toll.bytes(bytes.length);
      return bytes;
    },
    write(bytes) {
      toll.bytes(bytes.length);
      return kernel.write(bytes);
    },
    writeText(text) {
      toll.bytes(text.length);
      return kernel.writeText(text);
    },
  };
}

function atPrice(
  functions: Readonly<Record<string, (...args: never[]) => unknown>>,
  toll: Toll,
): Record<string, WebAssembly.ImportValue> {
  return Object.fromEntries(
    Object.entries(functions).map(([name, run]) => [
      name,
      (...args: never[]): unknown => {
        toll.call();
        return run(...args);
      },
    ]),
  );
}

/** One function of the host application: `bytes` travel as handles, numbers as they are. */
function userFunction(
  index: number,
  signature: HostFunctionSignature,
  kernel: Pick<Kernel, "read" | "write">,
  host: HostBridge,
): (...args: (number | bigint)[]) => unknown {
  return (...args) => {
    const parts: Uint8Array[] = [encoder.encode(String(index))];
    for (const [at, type] of signature.parameters.entries()) {
      const value = args[at] ?? 0;
      parts.push(type === "bytes" ? kernel.read(BigInt(value)) : encoder.encode(String(value)));
    }
    const answer = decodeParts(host(HOST_CALL.FUNCTION, encodeParts(parts)), 1)?.[0];
    return resultOf(signature, answer, kernel);
  };
}

function resultOf(
  signature: HostFunctionSignature,
  answer: Uint8Array | undefined,
  kernel: Pick<Kernel, "write">,
): unknown {
  switch (signature.result) {
    case "none":
      return undefined;
    case "bytes":
      return answer === undefined ? 0n : kernel.write(answer);
    case "i64":
      return BigInt(decoder.decode(answer));
    case "i32":
    case "f64":
      return Number(decoder.decode(answer));
    default:
      throw new PluginFailure(
        "SANDBOX_ABI",
        `the host function ${signature.name} has no such result`,
      );
  }
}
