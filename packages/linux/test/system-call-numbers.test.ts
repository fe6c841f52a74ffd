import { existsSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { SYSTEM_CALL_NUMBERS } from "../src/system-call-numbers.ts";

/** Headers of linux-libc-dev; arm64 has the generic numbers. */
const HEADERS = {
  x64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
  arm64: "/usr/include/asm-generic/unistd.h",
} as const;

test.for(["x64", "arm64"] as const)("the numbers of %s are the kernel's", (arch, context) => {
  if (!existsSync(HEADERS[arch])) {
    context.skip(`${HEADERS[arch]} is not installed`);
    return;
  }
  const numbers = numbersIn(HEADERS[arch]);
  for (const [name, { [arch]: number }] of Object.entries(SYSTEM_CALL_NUMBERS))
    expect([name, numbers.get(name) ?? null]).toEqual([name, number]);
});

/** `#define __NR_name 123`, also by way of the names that differ for 32 bits. */
function numbersIn(header: string): ReadonlyMap<string, number> {
  const text = readFileSync(header, "utf8");
  const numbers = new Map<string, number>();
  for (const [, name = "", number] of text.matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gm))
    numbers.set(name, Number(number));
  return numbers;
}
