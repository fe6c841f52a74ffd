/**
 * @module What a plugin asks for, in plain words. The only file of the commands that knows the
 * capability broker, whose words they are: an operator reads the same here as in an update's warnings.
 */
import { changeLines, requestChanges } from "@glovebox/capability-broker";

type CapabilityRequest = Parameters<typeof requestChanges>[1];

/** One line for each thing, or one for nothing; not yet encoded for a terminal. */
export function linesOfRequest(request: CapabilityRequest): readonly string[] {
  const changes = requestChanges(undefined, request);
  // Private addresses are only known where a policy names them.
  if (!changes.allowed) return [`asks: ${changes.reason}`];
  const lines = changeLines(changes.value).map((line) =>
    line.replace(/^[+-] (?:may now also )?/, ""),
  );
  return lines.length === 0 ? ["asks for nothing"] : lines.map((line) => `asks: ${line}`);
}
