/**
 * @module Host services in memory: they refuse everything that a test did not set up, as a host
 * without policy does, and remember what was asked of them.
 */
import { refuse } from "@glovebox/core/decision";
import type {
  CallScope,
  FilePort,
  FileRefusal,
  HostFunction,
  HostServices,
  HttpPort,
  VariableStore,
} from "@glovebox/core/ports";

/** One request to the services, in the order of arrival. */
export interface HostServiceCall {
  /** `http.begin`, `files.open`, `variables.get`, `functions.NAME`, `log`, … */
  readonly name: string;
  readonly scope: CallScope;
  /** What followed the scope. */
  readonly args: readonly unknown[];
}

/** The services, and what they were asked. */
export interface MemoryHostServices extends HostServices {
  readonly calls: readonly HostServiceCall[];
}

/** What is to work; every function left out refuses. */
export interface HostServiceOverrides {
  readonly http?: Partial<HttpPort>;
  readonly files?: Partial<FilePort>;
  readonly variables?: Partial<VariableStore>;
  /** Default: no host function. */
  readonly functions?: ReadonlyMap<string, HostFunction>;
  /** Default: no configuration. */
  readonly config?: ReadonlyMap<string, string>;
  /** Default: only recorded. */
  readonly log?: HostServices["log"];
}

/**
 * Makes services that refuse with `TESTKIT_NOT_GRANTED` whatever is not overridden.
 *
 * @example
 * ```ts
 * const services = memoryHostServices({
 *   variables: { get: async () => allow("test", undefined) },
 * });
 * ```
 */
export function memoryHostServices(overrides: HostServiceOverrides = {}): MemoryHostServices {
  const calls: HostServiceCall[] = [];
  const { http = {}, files = {}, variables = {} } = overrides;

  function recorded<Args extends readonly unknown[], Answer>(
    name: string,
    answer: ((scope: CallScope, ...args: Args) => Promise<Answer>) | undefined,
  ): (scope: CallScope, ...args: Args) => Promise<Answer | FileRefusal> {
    return async (scope, ...args) => {
      calls.push({ name, scope, args });
      return answer === undefined ? notGranted(name) : answer(scope, ...args);
    };
  }

  return {
    calls,
    http: { begin: recorded("http.begin", http.begin?.bind(http)) },
    files: {
      folders: files.folders ?? [],
      open: recorded("files.open", files.open?.bind(files)),
      stat: recorded("files.stat", files.stat?.bind(files)),
      setTimes: recorded("files.setTimes", files.setTimes?.bind(files)),
      list: recorded("files.list", files.list?.bind(files)),
      rename: recorded("files.rename", files.rename?.bind(files)),
      remove: recorded("files.remove", files.remove?.bind(files)),
      mkdir: recorded("files.mkdir", files.mkdir?.bind(files)),
      symlink: recorded("files.symlink", files.symlink?.bind(files)),
      readLink: recorded("files.readLink", files.readLink?.bind(files)),
      link: recorded("files.link", files.link?.bind(files)),
    },
    variables: {
      get: recorded("variables.get", variables.get?.bind(variables)),
      set: recorded("variables.set", variables.set?.bind(variables)),
    },
    functions: new Map(
      Array.from(overrides.functions ?? [], ([name, host]) => [
        name,
        { ...host, call: recorded(`functions.${name}`, host.call.bind(host)) },
      ]),
    ),
    config: overrides.config ?? new Map(),
    log(scope, level, message) {
      calls.push({ name: "log", scope, args: [level, message] });
      overrides.log?.(scope, level, message);
    },
  };
}

/** Also in the files' terms, which the other ports do not ask for. */
function notGranted(name: string): FileRefusal {
  return {
    ...refuse("TESTKIT_NOT_GRANTED", "testkit.host-services", `the test did not set up ${name}`),
    condition: "EPERM",
  };
}
