/**
 * @module The HTTP API (contract.md 4) as a table of routes. What is checked of every request stands
 * before them, and the headers of every answer after them; the rest is in the files named here.
 */
import type { Logger } from "@glovebox/runtime";
import { Hono } from "hono";

import { MAX_HELD_ANSWER_BYTES, MAX_HELD_BODY_BYTES } from "../limits.ts";
import { addApprovalRoutes } from "./approval-routes.ts";
import { createByteBudget } from "./byte-budget.ts";
import { answerCall } from "./call-route.ts";
import { PAGE_POLICY, renderPage } from "./page.ts";
import { pluginCounts } from "./plugin-counts.ts";
import { hostProblem } from "./problem.ts";
import { checkOrigin } from "./request-checks.ts";
import type { RuntimePort } from "./runtime-port.ts";

/** What the API is made of. */
export interface HostAppOptions {
  readonly runtime: RuntimePort;
  /** Names besides loopback under which the host may be called, without port. Default: none. */
  readonly names?: readonly string[];
  /** Loosenings of the host itself, for `/readyz`. Default: none. */
  readonly loosened?: readonly string[];
  /** What operators show as a bearer token to approve. Default: nobody approves over HTTP. */
  readonly operatorToken?: string;
  /** Data directory that orders on the page name. Default: where the command looks by itself. */
  readonly dataDirectory?: string;
  /** Whether the host is shutting down. Default: never. */
  readonly isClosing?: () => boolean;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
  readonly logger?: Logger;
}

/** On every answer: it is for its own caller alone, and of the type that it says. */
const ANSWER_HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
};
const NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'";
const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Makes the API; its `fetch` answers a request. */
export function createHostApp(options: HostAppOptions): Hono {
  const { runtime, logger, isClosing = () => false, now = Date.now } = options;
  const names = new Set((options.names ?? []).map((name) => name.toLowerCase()));
  const bodies = createByteBudget(MAX_HELD_BODY_BYTES);
  const calls = {
    runtime,
    now,
    bodies,
    answers: createByteBudget(MAX_HELD_ANSWER_BYTES),
    ...(logger && { logger }),
  };
  const readiness = () => {
    const status = runtime.status();
    return {
      ready: status.ready && !isClosing(),
      isolation: status.isolation,
      minimumIsolation: status.minimumIsolation,
      layers: status.layers,
      absentLayers: status.absentLayers,
      loosened: [...status.loosened, ...(options.loosened ?? [])],
    };
  };

  const app = new Hono();
  app.use(async (c, next) => {
    const decision = checkOrigin(
      {
        method: c.req.method,
        host: c.req.header("host"),
        origin: c.req.header("origin"),
        fetchSite: c.req.header("sec-fetch-site"),
      },
      names,
    );
    if (decision.allowed) await next();
    else {
      logger?.warn({ code: decision.code, reason: decision.reason }, "request refused");
      c.res = hostProblem(decision.code === "HOST_NAME" ? "HOST_NAME" : "HOST_ORIGIN");
    }
    for (const [name, value] of Object.entries(ANSWER_HEADERS)) c.res.headers.set(name, value);
    if (!c.res.headers.has("content-security-policy")) {
      c.res.headers.set("content-security-policy", NO_CONTENT_POLICY);
    }
  });
  app.post("/plugins/:id/functions/:fn", async (c) => {
    if (isClosing()) return hostProblem("HOST_CLOSING");
    return answerCall(calls, c.req.raw, c.req.param("id"), c.req.param("fn"));
  });
  addApprovalRoutes(app, {
    runtime,
    bodies,
    operatorToken: options.operatorToken,
    ...(logger && { logger }),
  });
  app.get("/plugins", (c) => c.json(runtime.list()));
  app.get("/", (c) => {
    const { pending } = runtime.approvals();
    const view = { plugins: runtime.list(), pending, counts: pluginCounts(runtime.metricsText()) };
    const { dataDirectory } = options;
    c.header("content-security-policy", PAGE_POLICY);
    return c.html(renderPage({ status: readiness(), dataDirectory, ...view }));
  });
  app.get("/livez", (c) => c.json({ live: true }));
  app.get("/readyz", (c) => {
    const status = readiness();
    return c.json(status, status.ready ? 200 : 503);
  });
  app.get("/metrics", (c) =>
    c.body(runtime.metricsText(), 200, { "content-type": PROMETHEUS_TYPE }),
  );
  app.notFound(() => hostProblem("HOST_NOT_FOUND"));
  app.onError((error) => {
    logger?.error({ error: String(error) }, "a request failed");
    return hostProblem("HOST_INTERNAL");
  });
  return app;
}
