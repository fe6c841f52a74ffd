import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";

import { expect, test } from "vitest";

import { askPerson } from "../../src/commands/ask-person.ts";

test.each([
  ["a line", "yes\n", "yes"],
  ["the first of two lines", "no\nyes\n", "no"],
  ["the end of the input", "", ""],
])("%s is the answer to a question that was shown", async (_what, typed, answer) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const asked = askPerson("Approve? ", { input, output });
  expect(String(output.read())).toBe("Approve? ");
  input.end(typed);
  expect(await asked).toBe(answer);
  output.end();
  expect(await text(output)).toBe("");
});
