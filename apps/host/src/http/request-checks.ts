/**
 * @module Whether a request may come from where it comes from (threat: loopback-web-page). A web page
 * can send requests to a loopback port, or let its own name resolve to 127.0.0.1 and so become the
 * same origin. The first shows in `Origin` and `Sec-Fetch-Site`, the second in `Host`, and a page
 * can forge neither. All three are attacker-controlled otherwise.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";

/** The parts of a request that say where it comes from. */
export interface RequestOrigin {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site` (W3C Fetch Metadata), which browsers send and programs do not. */
  readonly fetchSite: string | undefined;
}

const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const SAFE_METHODS = new Set(["GET", "HEAD"]);

/** Decides about a request; `names` are the configured ones, in lower case and without port. */
export function checkOrigin(
  { method, host, origin, fetchSite }: RequestOrigin,
  names: ReadonlySet<string>,
): Decision<void> {
  const authority = host?.toLowerCase();
  const name = authority === undefined ? undefined : AUTHORITY.exec(authority)?.[1];
  if (name === undefined || !(LOOPBACK.test(name) || names.has(name))) {
    const reason = `the Host is neither loopback nor configured; received ${received(host)}`;
    return refuse("HOST_NAME", "http.host", reason);
  }
  // The page's own origin is the only one: another port of this machine is another program.
  if (origin !== undefined && origin.toLowerCase() !== `http://${authority}`) {
    const reason = `the Origin is not this host's own; received ${received(origin)}`;
    return refuse("HOST_ORIGIN", "http.origin", reason);
  }
  const isForeign = fetchSite === "cross-site" || fetchSite === "same-site";
  if (isForeign && !SAFE_METHODS.has(method)) {
    return refuse("HOST_ORIGIN", "http.fetch-site", `a page of another origin sends a ${method}`);
  }
  return allow("http.origin", undefined);
}
