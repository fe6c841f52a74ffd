/**
 * @module The example plugin `auth` in the sandbox, with the host function that knows the key. The
 * attacks are those of RFC 8725 section 2 that concern HS256.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { dirname, join } from "node:path";

import { allow, refuse } from "@glovebox/core/decision";
import type { JsonValue } from "@glovebox/core/json";
import type { HostFunction } from "@glovebox/core/ports";
import {
  type Answer,
  type OpenPlugin,
  openPlugin,
  readmeSamples,
} from "@glovebox/plugin-sdk/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const folder = dirname(import.meta.dirname);
/** The reference host's demonstration key, with which the README's token is signed. */
const KEY = "glovebox-demo-key-do-not-use-elsewhere";

const verifyHmac: HostFunction = {
  parameters: ["bytes", "bytes", "bytes"],
  result: "i64",
  async call(_scope, [keyName, data, mac]) {
    if (
      !(keyName instanceof Uint8Array && data instanceof Uint8Array && mac instanceof Uint8Array)
    ) {
      return refuse("TEST_ARGUMENTS", "test", "three byte strings were expected");
    }
    if (new TextDecoder().decode(keyName) !== "auth") return refuse("TEST_KEY", "test", "no key");
    const expected = createHmac("sha256", KEY).update(data).digest();
    const equal = mac.length === expected.length && timingSafeEqual(mac, expected);
    return allow("test", equal ? 1n : 0n);
  },
};

let plugin: OpenPlugin;

beforeAll(async () => {
  plugin = await openPlugin({
    wasm: join(folder, "dist/plugin.wasm"),
    abi: "extism",
    services: { functions: new Map([["verify_hmac", verifyHmac]]) },
  });
});

afterAll(() => plugin[Symbol.asyncDispose]());

function encode(part: JsonValue): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

function sign(
  claims: JsonValue,
  header: JsonValue = { alg: "HS256", typ: "JWT" },
  key = KEY,
): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

function authenticate(headers: JsonValue, now?: number): Promise<Answer> {
  const custom = now === undefined ? {} : { now };
  return plugin.ask("authenticate", { method: "GET", uri: "/", headers, context: { custom } });
}

function refusal(message: string): object {
  return {
    ok: true,
    answer: { authenticated: false, identity: null, claims: {}, error_message: message },
  };
}

const INVALID = refusal("The token is not valid.");
const NO_TOKEN = refusal("A bearer token is required.");

describe("a token with a right signature", () => {
  test("answers the identity and the claims", async () => {
    const claims = {
      sub: "ann",
      email: "ann@example.org",
      roles: ["admin", 7],
      groups: ["a"],
      n: 1e21,
    };
    const answer = await authenticate({ authorization: `Bearer ${sign(claims)}` });
    expect(answer).toEqual({
      ok: true,
      answer: {
        authenticated: true,
        identity: {
          user_id: "ann",
          email: "ann@example.org",
          roles: ["admin"],
          groups: ["a"],
          attributes: {},
        },
        claims,
        metadata: { scheme: "Bearer" },
      },
    });
  });

  test.each([
    ["before exp", { exp: 100 }, 99, { ok: true, answer: { authenticated: true } }],
    ["at exp", { exp: 100 }, 100, refusal("The token has expired.")],
    ["before nbf", { nbf: 100 }, 99, refusal("The token is not valid yet.")],
    ["at nbf", { nbf: 100 }, 100, { ok: true, answer: { authenticated: true } }],
    ["when exp is no number", { exp: "2100" }, 99, refusal("The token has expired.")],
    [
      "when the host gave no time",
      { exp: 4_102_444_800 },
      undefined,
      refusal("The token has a date, and the host gave no time to check it against."),
    ],
  ])("%s is answered by its dates", async (_when, dates, now, expected) => {
    const token = sign({ sub: "ann", ...dates });
    expect(await authenticate({ Authorization: `Bearer ${token}` }, now)).toMatchObject(expected);
  });

  test("that names nobody is not accepted", async () => {
    const token = sign({ sub: "" });
    const expected = refusal("The token names nobody.");
    expect(await authenticate({ Authorization: `Bearer ${token}` })).toMatchObject(expected);
  });
});

describe("a forged token is not accepted", () => {
  const token = sign({ sub: "ann" });
  const [header = "", claims = "", mac = ""] = token.split(".");

  test.each([
    ["with the algorithm none and no signature", `${encode({ alg: "none" })}.${claims}.`],
    ["with the algorithm none and a right signature", sign({ sub: "ann" }, { alg: "none" })],
    ["with the algorithm in another case", sign({ sub: "ann" }, { alg: "hs256" })],
    ["with an algorithm that is no text", sign({ sub: "ann" }, { alg: ["HS256"] })],
    ["with a critical extension", sign({ sub: "ann" }, { alg: "HS256", crit: ["exp"] })],
    ["signed with another key", sign({ sub: "ann" }, undefined, "another key")],
    ["with other claims", `${header}.${encode({ sub: "root" })}.${mac}`],
    ["with a shortened signature", `${header}.${claims}.${mac.slice(0, 20)}`],
    ["without a signature", `${header}.${claims}.`],
    ["with a fourth part", `${token}.${mac}`],
    ["with padding", `${token}=`],
    ["longer than 8,192 characters", sign({ sub: "a".repeat(9_000) })],
    [
      "with a duplicate claim",
      `${header}.${Buffer.from('{"sub":"a","sub":"b"}').toString("base64url")}.${mac}`,
    ],
  ])("%s", async (_how, forged) => {
    expect(await authenticate({ Authorization: `Bearer ${forged}` })).toMatchObject(INVALID);
  });

  test("whose last character has bits that no byte holds (one token, one spelling)", async () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(token.at(-1) ?? "A");
    const twin = token.slice(0, -1) + (alphabet[last + 1] ?? "");
    expect(Buffer.from(twin.split(".")[2] ?? "", "base64url")).toEqual(
      Buffer.from(mac, "base64url"),
    );
    expect(await authenticate({ Authorization: `Bearer ${twin}` })).toMatchObject(INVALID);
  });
});

describe("the header", () => {
  test.each<[string, JsonValue]>([
    ["is missing", {}],
    ["has another scheme", { Authorization: "Basic YTpi" }],
    ["has no token", { Authorization: "Bearer " }],
    ["is no text", { Authorization: 5 }],
    ["comes twice", { Authorization: `Bearer ${sign({ sub: "a" })}`, authorization: "Bearer x" }],
  ])("gives no token when it %s", async (_how, headers) => {
    expect(await authenticate(headers)).toMatchObject(NO_TOKEN);
  });

  test("is an error when there is no object of headers", async () => {
    expect(await authenticate([])).toMatchObject({ ok: false, code: "SANDBOX_PLUGIN_ERROR" });
  });
});

test("the host's refusal of a key ends the call without an answer", async () => {
  await using other = await openPlugin({
    wasm: join(folder, "dist/plugin.wasm"),
    abi: "extism",
    services: {
      config: new Map([["key_name", "billing"]]),
      functions: new Map([["verify_hmac", verifyHmac]]),
    },
  });
  const headers = { Authorization: `Bearer ${sign({ sub: "ann" })}` };
  expect(await other.ask("authenticate", { headers })).toMatchObject({ ok: false });
});

test("the README's sample answers what the README says", async () => {
  const samples = await readmeSamples(folder);
  expect(samples).toHaveLength(1);
  for (const { functionName, input, context, output } of samples) {
    const answer = await plugin.ask(functionName, { ...(input as object), context });
    expect(answer).toEqual({ ok: true, answer: output });
  }
});
