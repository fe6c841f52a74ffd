/** @module A runtime in memory that answers what a test says, and remembers what it was asked. */
import type { CallOutcome, Usage } from "@glovebox/core/ports";
import { createHostApp, type HostAppOptions, type RuntimePort } from "@glovebox/host";

/** What a call used. */
export const USAGE: Usage = {
  wallMs: 1,
  cpuMs: 1,
  instructions: null,
  instructionsExact: null,
  memoryPeakBytes: 65_536,
  inputBytes: 2,
  outputBytes: 2,
  networkRequests: 0,
  fileOperations: 0,
};

/** Arguments of the calls that came through. */
export type Call = Parameters<RuntimePort["executePluginFunction"]>;

/** The fake, as a host app. */
export interface FakeHost {
  readonly calls: readonly Call[];
  readonly runtime: RuntimePort;
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Posts a call with a JSON body, which may be text. */
  post(body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

/** Makes a host whose every call ends as told. */
export function fakeHost(
  outcome: CallOutcome = success("{}"),
  options: Omit<HostAppOptions, "runtime"> & { readonly runtime?: Partial<RuntimePort> } = {},
): FakeHost {
  const calls: Call[] = [];
  const runtime: RuntimePort = {
    async executePluginFunction(...call) {
      calls.push(call);
      return outcome;
    },
    list: () => [],
    approvals: () => ({ pending: [], approved: [] }),
    approve: async () => {
      throw new Error("not in this test");
    },
    revokeApproval: async () => false,
    metricsText: () => "",
    status: () => ({
      ready: true,
      isolation: "permission",
      minimumIsolation: "permission",
      layers: ["permission"],
      absentLayers: { landlock: "there is <none>" },
      loosened: [],
    }),
    ...options.runtime,
  };
  const app = createHostApp({ now: () => 1_000_500, ...options, runtime });
  const request: FakeHost["request"] = async (path, init = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("host")) headers.set("host", "127.0.0.1:8787");
    return app.request(path, { ...init, headers });
  };
  return {
    calls,
    runtime,
    request,
    post: (body, headers = {}) =>
      request("/plugins/echo/functions/run", {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
  };
}

/** A call that went well. */
export function success(output: string | Uint8Array): CallOutcome {
  const bytes = typeof output === "string" ? new TextEncoder().encode(output) : output;
  return { ok: true, output: bytes, usage: USAGE };
}

/** A call that did not. */
export function failure(
  code: string,
  details: Readonly<Record<string, unknown>> = {},
): CallOutcome {
  const error = { code, message: "for the operator", publicMessage: "for callers", details };
  return { ok: false, error, usage: USAGE };
}
