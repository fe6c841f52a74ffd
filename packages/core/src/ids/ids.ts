/**
 * @module Identifiers as branded strings. The brand is a property that exists only in types, under
 * a plain name, so that two copies of this package agree on it.
 */
import { randomUUID } from "node:crypto";

import { type Decision, allow, refuse } from "../decision/index.ts";
import { received } from "../errors/index.ts";

/** A plugin's id: `^[a-z0-9-]+$`, at most 64 characters. */
export type PluginId = string & { readonly __glovebox: "PluginId" };
/** One call's id, unique within a host. */
export type CallId = string & { readonly __glovebox: "CallId" };
/** A tenant, named by the host application, never by a plugin or a request's body. */
export type TenantId = string & { readonly __glovebox: "TenantId" };
/** A grant's id. */
export type GrantId = string & { readonly __glovebox: "GrantId" };
/** A SHA-256 digest as 64 lower-case hexadecimal digits. */
export type Sha256 = string & { readonly __glovebox: "Sha256" };

const PLUGIN_ID = /^[a-z0-9-]{1,64}$/;
const OPAQUE_ID = /^[\x21-\x7e]{1,128}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** Parses a plugin id; the raw value is attacker-controlled. */
export function parsePluginId(raw: unknown): Decision<PluginId> {
  return typeof raw === "string" && PLUGIN_ID.test(raw)
    ? allow("ids.plugin", raw as PluginId)
    : refuse(
        "CORE_PLUGIN_ID",
        "ids.plugin",
        `a plugin id is 1–64 of a–z, 0–9 and -; received ${received(raw)}`,
      );
}

/** Parses a tenant id: 1–128 printable ASCII characters without spaces. */
export function parseTenantId(raw: unknown): Decision<TenantId> {
  return typeof raw === "string" && OPAQUE_ID.test(raw)
    ? allow("ids.tenant", raw as TenantId)
    : refuse(
        "CORE_TENANT_ID",
        "ids.tenant",
        `a tenant id is 1–128 printable ASCII characters; received ${received(raw)}`,
      );
}

/** Parses a SHA-256 digest in lower-case hexadecimal. */
export function parseSha256(raw: unknown): Decision<Sha256> {
  return typeof raw === "string" && SHA256.test(raw)
    ? allow("ids.sha256", raw as Sha256)
    : refuse(
        "CORE_SHA256",
        "ids.sha256",
        `a SHA-256 digest is 64 lower-case hexadecimal digits; received ${received(raw)}`,
      );
}

/** A new random call id (UUID version 4, RFC 9562 section 5.4). */
export function newCallId(): CallId {
  return randomUUID() as string as CallId;
}

/** A new random grant id (UUID version 4, RFC 9562 section 5.4). */
export function newGrantId(): GrantId {
  return randomUUID() as string as GrantId;
}
