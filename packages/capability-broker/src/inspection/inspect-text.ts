/** @module Short texts under inspection: URLs, header values, DNS names. */
import { type Decision, allow, refuse } from "@glovebox/core/decision";

import type { InspectionBlock, OutgoingPart, Transform } from "./transform.ts";

const RULE = "inspection";

/** Inspects a text whole. It cannot be changed on its way: it would mean another request. */
export function inspectText(
  transform: Transform | undefined,
  part: OutgoingPart,
  text: string,
): Decision<void> {
  if (transform === undefined) return allow(RULE, undefined);
  const bytes = Buffer.from(text, "latin1");
  const released: Uint8Array[] = [];
  for (const look of [() => transform.push(bytes), () => transform.end()]) {
    const { release, block } = look();
    if (block !== undefined) return blockOf(part, block);
    released.push(release);
  }
  return Buffer.concat(released).equals(bytes)
    ? allow(RULE, undefined)
    : blockOf(part, { rule: "changed", reason: "the scanner would change it" });
}

/** A block as a refusal; the scanner's reason is for the operator. */
export function blockOf({ part, name }: OutgoingPart, block: InspectionBlock): Decision<never> {
  const place = name === undefined ? part : `${part} ${name}`;
  return refuse("BROKER_SCANNER", `${RULE}.${block.rule}`, `${place}: ${block.reason}`);
}
