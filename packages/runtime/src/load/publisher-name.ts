/**
 * @module Who stands behind a package, as approvals name them. Without a signature nobody does, and an
 * id can be anybody's: what is approved then is these bytes and no others (threat: stale-approval).
 */
import { hash } from "node:crypto";

import { canonicalJson } from "@glovebox/core/json";
import type { Publisher } from "@glovebox/signer";

import type { PluginPackage } from "../package/plugin-package.ts";

/** What an approval is bound to: the operator's name for a key with the key, or the bytes of a package. */
export function publisherName(
  publisher: Publisher | undefined,
  { digests }: Pick<PluginPackage, "digests">,
): string {
  // An identity is the operator's own word for a key, so that it says nothing without the key.
  if (publisher !== undefined) return `${publisher.identity} ${publisher.keyId}`;
  // Every file: a manifest's arguments can turn an approved interpreter into another program.
  const digest = hash("sha256", canonicalJson(Object.fromEntries(digests)));
  return `unsigned sha256:${digest}`;
}
