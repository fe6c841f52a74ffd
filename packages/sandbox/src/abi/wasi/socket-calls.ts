/** @module WASI's socket calls: there are no sockets, so that every open descriptor is none. */
import { ERRNO, fail } from "./errno.ts";
import type { WasiCalls, WasiContext } from "./wasi-context.ts";

/** The calls. */
export function socketCalls({ state }: WasiContext): WasiCalls {
  const refuse = (descriptor: number): never => {
    state.descriptors.get(descriptor);
    return fail(ERRNO.NOTSOCK);
  };
  return { sock_accept: refuse, sock_recv: refuse, sock_send: refuse, sock_shutdown: refuse };
}
