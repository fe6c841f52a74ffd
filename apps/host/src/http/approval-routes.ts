/**
 * @module Approvals over HTTP: everybody may read what is asked and approved, an operator approves
 * and takes back. The operator names the request that was read by its digest, so that nothing else is
 * approved.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";
import { received } from "@glovebox/core/errors";
import { type JsonValue, parseBoundedJson } from "@glovebox/core/json";
import type { Logger } from "@glovebox/runtime";
import type { Hono } from "hono";

import { MAX_SMALL_FILE_BYTES } from "../limits.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { isOperator } from "./operator.ts";
import { hostProblem, problemResponse } from "./problem.ts";
import { readBody } from "./read-body.ts";
import type { RuntimePort } from "./runtime-port.ts";

/** What the routes work with. */
export interface ApprovalRouteParts {
  readonly runtime: RuntimePort;
  readonly bodies: ByteBudget;
  /** What operators show; absent: there are none. */
  readonly operatorToken: string | undefined;
  readonly logger?: Logger;
}

type Order = Readonly<Record<string, string>>;

const OPERATOR = /^[\x21-\x7e]{1,110}$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** Adds the routes. */
export function addApprovalRoutes(app: Hono, parts: ApprovalRouteParts): void {
  const { runtime } = parts;
  app.get("/approvals", (c) => c.json(runtime.approvals()));
  app.post("/approvals/:id/approve", async (c) => {
    const order = await readOrder(parts, c.req.raw, { operator: OPERATOR, requestDigest: DIGEST });
    if (order instanceof Response) return order;
    const { operator = "", requestDigest = "" } = order;
    const result = await runtime.approve(c.req.param("id"), { operator, requestDigest });
    if (result.ok) return c.json({ plugin: result.plugin });
    const { code, message } = result.error;
    const isApproved = runtime
      .approvals()
      .approved.some((one) => one.requestDigest === requestDigest);
    // Loading comes after; why it failed is no fault of the order.
    if (isApproved) return c.json({ error: { code, message } });
    // The reader is an operator, to whom the reason is due.
    return problemResponse({ code: result.error.code, detail: result.error.message });
  });
  app.post("/approvals/:id/revoke", async (c) => {
    const order = await readOrder(parts, c.req.raw, { operator: OPERATOR });
    if (order instanceof Response) return order;
    const { operator = "" } = order;
    const isRevoked = await runtime.revokeApproval(c.req.param("id"), operator);
    return c.json({ revoked: isRevoked });
  });
}

/** The members of an operator's order, or the answer to what is none. */
async function readOrder(
  { bodies, operatorToken, logger }: ApprovalRouteParts,
  request: Request,
  members: Readonly<Record<string, RegExp>>,
): Promise<Order | Response> {
  if (!isOperator(request.headers.get("authorization") ?? undefined, operatorToken)) {
    logger?.warn({ path: new URL(request.url).pathname }, "an order without an operator's token");
    return hostProblem("HOST_OPERATOR");
  }
  if (!/^application\/json\b/i.test(request.headers.get("content-type") ?? "")) {
    return hostProblem("HOST_CONTENT_TYPE");
  }
  const body = await readBody(request, MAX_SMALL_FILE_BYTES, bodies);
  if (!body.allowed) return problemResponse({ code: body.code, detail: body.reason });
  using held = body.value;
  const parsed = parseBoundedJson(held.bytes, { maxBytes: MAX_SMALL_FILE_BYTES });
  const order = parsed.allowed ? parseOrder(parsed.value, members) : parsed;
  return order.allowed ? order.value : problemResponse({ code: order.code, detail: order.reason });
}

function parseOrder(raw: JsonValue, members: Readonly<Record<string, RegExp>>): Decision<Order> {
  const refused = (reason: string): Decision<never> => refuse("HOST_BODY", "http.order", reason);
  if (typeof raw !== "object" || raw === null || Array.isArray(raw))
    return refused(`expected an object; received ${received(raw)}`);
  const order: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw)) {
    const pattern = Object.hasOwn(members, name) ? members[name] : undefined;
    if (pattern === undefined) return refused(`an order has no member ${received(name)}`);
    if (typeof value !== "string" || !pattern.test(value))
      return refused(`${name} is ${pattern.source}; received ${received(value)}`);
    order[name] = value;
  }
  const missing = Object.keys(members).find((name) => order[name] === undefined);
  return missing === undefined ? allow("http.order", order) : refused(`${missing} is missing`);
}
