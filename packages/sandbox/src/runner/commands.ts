/**
 * @module What a runner does for its host, as a table from frame type to work. The payloads come
 * from the host and are trusted; the modules in them are not.
 */
import { setFlagsFromString } from "node:v8";

import type { HostBridge, LinkPlugin, NamedModule, PluginInstance } from "../abi/abi.ts";
import { PluginFailure } from "../abi/abi.ts";
import { extism } from "../abi/extism/extism.ts";
import { flat } from "../abi/flat.ts";
import { FuelTank } from "../abi/fuel.ts";
import { wasi } from "../abi/wasi/wasi.ts";
import { MAX_DEAD_MEMORY_BYTES, WASM_PAGE_BYTES } from "../limits.ts";
import type { Abi } from "../protocol/abi-requirements.ts";
import { FRAME, LOAD_FROM_PAYLOAD, NOT_COUNTED } from "../protocol/frame-table.ts";
import type { InstantiateSpec } from "../protocol/instantiate-spec.ts";
import type { RunnerConfiguration } from "../protocol/runner-configuration.ts";
import type { HostMessage } from "./blocking-channel.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);
/** Of the engine's flag `--expose-gc`; no module can reach it. */
const { gc: collectGarbage } = globalThis as { gc?: () => void };
const ABIS: Readonly<Record<Abi, LinkPlugin>> = { flat, extism, wasi };

/** The answer to one command. */
export interface CommandAnswer {
  readonly type: typeof FRAME.DONE | typeof FRAME.REPLY;
  /** Pages of memory for REPLY. */
  readonly argument: number;
  readonly payload: Uint8Array;
}

/** A runner's plugin, from CONFIGURE to the last CALL. */
export class PluginHolder {
  readonly #host: HostBridge;
  readonly #limitData: (bytes: number) => void;
  #configuration: RunnerConfiguration | undefined;
  readonly #validated: WebAssembly.Module[] = [];
  readonly #loaded: WebAssembly.Module[] = [];
  #spec: InstantiateSpec | undefined;
  #instance: PluginInstance | undefined;
  /** Of the instance, or of the one that was discarded last; absent where modules are not metered. */
  #fuel: FuelTank | undefined;
  #functionNames: readonly string[] = [];
  #garbageBytes = 0;

  constructor(host: HostBridge, limitData: (bytes: number) => void) {
    this.#host = host;
    this.#limitData = limitData;
  }

  /** Instructions that the command used, as frames say it. */
  get instructions(): number {
    return this.#fuel?.used ?? NOT_COUNTED;
  }

  /** Carries out one command; throws {@link PluginFailure} or what the engine threw. */
  run(message: HostMessage): CommandAnswer {
    try {
      return this.#carryOut(message);
    } catch (error) {
      // Whatever was thrown on the way: without fuel nothing else is the reason.
      throw this.#fuel?.failure ?? error;
    }
  }

  #carryOut(message: HostMessage): CommandAnswer {
    switch (message.type) {
      case FRAME.CALL:
        return this.#call(message);
      case FRAME.CONFIGURE:
        return this.#configure(parse(message.payload) as RunnerConfiguration);
      case FRAME.VALIDATE:
        return this.#validate(message.payload);
      case FRAME.LOAD:
        return this.#load(message.argument, message.payload);
      case FRAME.INSTANTIATE:
        return this.#instantiate(parse(message.payload) as InstantiateSpec);
      default:
        throw new Error(`the host sent an unknown frame of type ${message.type}`);
    }
  }

  /** Drops the instance: after a trap its memory can be in any state. */
  discardInstance(): void {
    this.#garbageBytes += (this.#instance?.memoryPages() ?? 0) * WASM_PAGE_BYTES;
    this.#instance = undefined;
  }

  #configure(configuration: RunnerConfiguration): CommandAnswer {
    this.#configuration = configuration;
    const pages = Math.floor(configuration.memoryBytes / WASM_PAGE_BYTES);
    setFlagsFromString(`--wasm-max-mem-pages=${pages}`);
    setFlagsFromString(`--wasm-max-table-size=${configuration.tableElements}`);
    if (configuration.dataBytes !== null) this.#limitData(configuration.dataBytes);
    return done();
  }

  #validate(bytes: Uint8Array): CommandAnswer {
    const module = compile(bytes);
    this.#validated.push(module);
    return done(
      encoder.encode(
        JSON.stringify({
          imports: WebAssembly.Module.imports(module),
          exports: WebAssembly.Module.exports(module),
        }),
      ),
    );
  }

  #load(place: number, bytes: Uint8Array): CommandAnswer {
    const module = place === LOAD_FROM_PAYLOAD ? compile(bytes) : this.#validated[place];
    if (module === undefined) throw new Error(`no module was validated at place ${place}`);
    this.#loaded.push(module);
    return done();
  }

  #instantiate(spec: InstantiateSpec): CommandAnswer {
    this.#spec = spec;
    this.#instance = this.#newInstance();
    // Judged, and copied into what was loaded.
    this.#validated.length = 0;
    return done(encoder.encode(JSON.stringify({ functions: this.#instance.functions })));
  }

  #call(message: HostMessage): CommandAnswer {
    const functionName = this.#functionNames[message.argument];
    if (functionName === undefined) throw new Error(`no function at place ${message.argument}`);
    let { payload } = message;
    if (this.#instance === undefined) {
      payload = payload.slice(); // a start function may make host calls, which reuse the read buffer
      this.#instance = this.#newInstance();
    } else {
      this.#fuel?.fill(this.#budget);
    }
    const instance = this.#instance;
    const output = this.#runOn(instance, functionName, payload);
    const spent = this.#fuel?.failure;
    if (spent !== undefined) throw spent;
    const limit = this.#configuration?.outputBytes ?? 0;
    if (output.length > limit) {
      throw new PluginFailure(
        "SANDBOX_OUTPUT_SIZE",
        `${output.length} bytes of output, at most ${limit}`,
        true,
      );
    }
    return {
      type: FRAME.REPLY,
      argument: Math.min(instance.memoryPages(), 0xffff),
      payload: output,
    };
  }

  #runOn(instance: PluginInstance, functionName: string, input: Uint8Array): Uint8Array {
    try {
      return instance.call(functionName, input);
    } finally {
      if (this.#spec?.freshInstances === true || instance.usedOnce === true) this.discardInstance();
    }
  }

  #newInstance(): PluginInstance {
    const spec = this.#spec;
    if (spec === undefined) throw new Error("CALL before INSTANTIATE");
    // The kernel counts dead memories until they are collected, and the engine knows no hurry.
    if (this.#garbageBytes >= MAX_DEAD_MEMORY_BYTES) {
      collectGarbage?.();
      this.#garbageBytes = 0;
    }
    const modules = spec.modules.map(({ name, fuel }, at): NamedModule => {
      const module = this.#loaded[at];
      if (module === undefined) throw new Error(`the module ${name} was not loaded`);
      return { name, module, fuel };
    });
    const limits = { outputBytes: this.#configuration?.outputBytes ?? 0 };
    const tank = spec.modules[0]?.fuel === undefined ? undefined : new FuelTank();
    tank?.fill(this.#budget);
    this.#fuel = tank;
    const host = tank === undefined ? this.#host : this.#tolled(tank);
    const instance = ABIS[spec.abi](modules, spec, host, limits, tank);
    this.#functionNames = instance.functions;
    return instance;
  }

  get #budget(): bigint {
    return BigInt(this.#configuration?.instructions ?? 0);
  }

  #tolled(tank: FuelTank): HostBridge {
    return (kind, payload) => {
      tank.hostCall();
      tank.bytes(payload.length);
      const answer = this.#host(kind, payload);
      tank.bytes(answer.length);
      return answer;
    };
  }
}

function compile(bytes: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    throw new PluginFailure(
      "SANDBOX_MODULE_INVALID",
      error instanceof Error ? error.message : String(error),
    );
  }
}

function done(payload: Uint8Array = NOTHING): CommandAnswer {
  return { type: FRAME.DONE, argument: 0, payload };
}

function parse(payload: Uint8Array): unknown {
  return JSON.parse(decoder.decode(payload));
}
