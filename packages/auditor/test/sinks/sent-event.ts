import type { AuditEvent, OperationScope } from "@glovebox/core/ports";

/** Events as sinks get them. */
import { readEvent } from "#src/event/read-event";
import { writeEvent } from "#src/event/write-event";
import type { SinkEvent } from "#src/sinks/sink";

/** Text that would begin a line, end a field, drive a terminal or reorder what is shown. */
export const HOSTILE =
  'a"]\\ b\n<13>1 forged\r\u0000\u001b[2J\u007f\u0085\u2028\u2029\u202e\ufeff]["x="\'; DROP TABLE audit_events; --';

export const TIME = Date.UTC(2026, 10, 26, 21, 40, 0, 7);

export function sentEvent(more: Partial<AuditEvent> = {}, index = 5, pluginId?: string): SinkEvent {
  const scope = (pluginId === undefined ? {} : { pluginId }) as unknown as OperationScope;
  const json = writeEvent(scope, { kind: "deny", success: false, ...more }, { time: TIME });
  if (typeof json !== "string") throw new Error(json.reason);
  const event = readEvent(Buffer.from(json));
  if (!event.allowed) throw new Error(event.reason);
  return { origin: "host.example/security", class: "security", index, event: event.value, json };
}

export const NEVER: AbortSignal = new AbortController().signal;
