/**
 * @module The default resolver: c-ares off the thread pool, which files and `dns.lookup` share and a
 * hostile plugin could fill. It reads no hosts file and searches no suffixes.
 */
import { Resolver } from "node:dns/promises";

/** Answers the addresses of a name, or rejects with the resolver's code. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** Milliseconds of one try and number of tries; the grant's own timeout bounds both. */
const TRY_TIMEOUT_MS = 2_500;
const TRIES = 2;

/** Both families at once; one family's failure leaves the other's answer. */
export function createResolve(): Resolve {
  const resolver = new Resolver({ timeout: TRY_TIMEOUT_MS, tries: TRIES });
  return async (name) => {
    const [ipv4, ipv6] = await Promise.allSettled([
      resolver.resolve4(name),
      resolver.resolve6(name),
    ]);
    if (ipv4.status === "rejected" && ipv6.status === "rejected") throw ipv4.reason;
    return [
      ...(ipv4.status === "fulfilled" ? ipv4.value : []),
      ...(ipv6.status === "fulfilled" ? ipv6.value : []),
    ];
  };
}
