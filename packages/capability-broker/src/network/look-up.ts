/**
 * @module A name's addresses, or a refusal when it takes too long, fails, or nobody may have them any
 * more. The resolver is not waited for beyond that.
 */
import type { Clock } from "@glovebox/core/clock";
import { type Decision, allow, refuse } from "@glovebox/core/decision";
import type { CallScope } from "@glovebox/core/ports";

import type { RevocationCell } from "../grant/revocation.ts";
import { onAbort } from "./on-abort.ts";
import type { Resolve } from "./resolver.ts";

const RULE = "network.resolve";

/** Looks a name up within its time. */
export async function lookUp(
  name: string,
  timeoutMs: number,
  scope: CallScope,
  cell: RevocationCell,
  { clock, resolve: ask }: { readonly clock: Clock; readonly resolve: Resolve },
): Promise<Decision<readonly unknown[]>> {
  const { promise, resolve } = Promise.withResolvers<Decision<readonly unknown[]>>();
  const failed = (reason: string): void =>
    resolve(refuse("BROKER_RESOLVE", RULE, `${name}: ${reason}`));
  const stop = (): void => resolve(refuse("BROKER_CANCELLED", RULE, "the call has ended"));
  using _timer = clock.setTimer(timeoutMs, () => failed(`no answer in ${timeoutMs} ms`));
  const unregister = cell.onRevoke((code) => resolve(refuse(code, RULE, "the grant has ended")));
  const unhear = onAbort(scope.signal, stop);
  ask(name).then(
    (answer) => resolve(allow(RULE, answer)),
    (error: unknown) =>
      failed(
        String(error instanceof Error ? (Reflect.get(error, "code") ?? error.message) : error),
      ),
  );
  try {
    return await promise;
  } finally {
    unregister();
    unhear();
  }
}
