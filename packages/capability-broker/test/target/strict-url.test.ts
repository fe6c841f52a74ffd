import { parseStrictUrl } from "@glovebox/capability-broker/network";
import { expect, test } from "vitest";

import { codeOf } from "../lab.ts";

const long = `${"a".repeat(50)}.`.repeat(5);

test.each([
  ["https://a.example.com/\ud800", "BROKER_URL_SYNTAX"],
  ["https://a.example.com/\u0001", "BROKER_URL_SYNTAX"],
  ["https://a.example.com/\u00a0", "BROKER_URL_SYNTAX"],
  ["https://a.example.com\\b", "BROKER_URL_SYNTAX"],
  ["https://a.example.com/\tb", "BROKER_URL_SYNTAX"],
  ["https://a.example.com:080/", "BROKER_URL_SYNTAX"],
  ["https://a.example.com:0/", "BROKER_URL_SYNTAX"],
  ["https://a.example.com:/", "BROKER_URL_SYNTAX"],
  ["https://a.example.com:65536/", "BROKER_URL_SYNTAX"],
  ["https://a.example.com:99999/", "BROKER_URL_SYNTAX"],
  [`https://${"a".repeat(64)}.example.com/`, "BROKER_HOST_NAME"],
  [`https://${long}example.com/`, "BROKER_HOST_NAME"],
  ["https://intranet/", "BROKER_HOST_SPECIAL"],
  ["https://a.localhost/", "BROKER_HOST_SPECIAL"],
  ["https://metadata.google.internal/", "BROKER_HOST_SPECIAL"],
  ["https://a.example.com:65535/", "allowed"],
  [`https://${"a".repeat(63)}.example.com/`, "allowed"],
  ["https://xn--mnchen-3ya.example.com/", "allowed"],
])("%j is %s", (raw, code) => {
  expect(codeOf(parseStrictUrl(raw))).toBe(code);
});

test.each(["xn--a", "xn--", "xn--example-", "xn--mnchen-3yb9", "XN--\u00fc"])(
  "the label %s is no A-label of anything",
  (label) => {
    expect(codeOf(parseStrictUrl(`https://${label}.example.com/`))).not.toBe("allowed");
  },
);
