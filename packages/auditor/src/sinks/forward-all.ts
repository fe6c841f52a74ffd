/** @module One sink for all logs of a host: a delivery per log, which take turns. */
import { join } from "node:path";

import { received } from "@glovebox/core/errors";

import { AuditorError } from "../errors.ts";
import { createMutex } from "../mutex.ts";
import type { ClassLogs } from "../record/record.ts";
import { type Forwarding, type ForwardingParts, startForwarding } from "./forward.ts";
import type { Sink } from "./sink.ts";

/** What the deliveries of all logs share. */
export interface ForwardAllParts extends Pick<ForwardingParts, "clock" | "random" | "onLoss"> {
  readonly logs: ClassLogs;
  /** Where positions are kept, a file for each sink and log. */
  readonly directory: string;
}

const SINK_NAME = /^[a-z0-9-]{1,64}$/;

/** Starts a delivery for each log. @throws {@link AuditorError} (`AUDITOR_OPTION`, `AUDITOR_DIRECTORY`) */
export async function forwardAll(
  sink: Sink,
  { logs, directory, ...shared }: ForwardAllParts,
): Promise<readonly Forwarding[]> {
  // It becomes part of a file's name.
  if (!SINK_NAME.test(sink.name)) {
    const message = `a sink's name is 1–64 lower-case letters, digits and dashes; received ${received(sink.name)}`;
    throw new AuditorError("AUDITOR_OPTION", { message });
  }
  const exclusive = createMutex();
  const inTurn: Sink = {
    ...sink,
    send: (batch, signal) =>
      exclusive(() => {
        // Its turn may come after the end.
        signal.throwIfAborted();
        return sink.send(batch, signal);
      }),
  };
  const started: Forwarding[] = [];
  for (const [kept, log] of logs) {
    const positionFile = join(directory, `${sink.name}.${kept}`);
    started.push(
      await startForwarding({ ...shared, class: kept, log, sink: inTurn, positionFile }),
    );
  }
  return started;
}
