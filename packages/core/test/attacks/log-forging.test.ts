/** Attack: plugin text that begins a second log line or drives a terminal (CWE-117, CWE-150). */
import { failClosed } from "@glovebox/core/decision";
import { encodeLogLine, encodeTerminal } from "@glovebox/core/encode";
import { CoreError } from "@glovebox/core/errors";
import { parseBoundedJson } from "@glovebox/core/json";
import { expect, it } from "vitest";

const FORGERIES = [
  "x\r\n2026-01-01 INFO admin logged in",
  "x\u2028y",
  "x\u0085y",
  "\u001b]0;title\u0007\u001b[2J",
  "\u009b31m",
  "\u202etxt.exe",
];
const DANGEROUS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

it.each(FORGERIES)("keeps %j out of every text that an operator reads", (forgery) => {
  const decision = failClosed("rule", () => {
    throw new Error(forgery);
  });
  const refusal = parseBoundedJson(`{${JSON.stringify(forgery)}:1,${JSON.stringify(forgery)}:2}`);
  const texts = [
    encodeLogLine(forgery),
    encodeTerminal(forgery),
    new CoreError("CORE_OPTION", { message: forgery }).message,
    new CoreError("CORE_OPTION", { publicMessage: forgery }).publicMessage,
    decision.allowed ? "" : decision.reason,
    refusal.allowed ? "" : refusal.reason,
  ];
  for (const text of texts) {
    expect(text).not.toBe("");
    expect(text).not.toMatch(DANGEROUS);
  }
});
