import { expect, test } from "vitest";

import { curlRequestsIn } from "../curl-line.ts";

const URL = "http://127.0.0.1:8787/plugins/auth/functions/authenticate";

test("reads a command as a shell would", () => {
  const printed = `listening\n  curl -s -H 'content-type: application/json' -d '{"input":{"a":"b c"}}' ${URL}\n`;
  expect(curlRequestsIn(printed)).toEqual([
    {
      url: URL,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"input":{"a":"b c"}}',
    },
  ]);
});

test("reads continued lines, a prompt, --json and quotes inside quotes", () => {
  const printed = `$ curl --json "{\\"input\\": \\"it's\\"}" \\\n  ${URL}\n`;
  expect(curlRequestsIn(printed)).toMatchObject([
    { url: URL, method: "POST", body: `{"input": "it's"}` },
  ]);
});

test("reads a request without a body", () => {
  expect(curlRequestsIn(`curl ${URL}`)).toMatchObject([{ method: "GET", body: undefined }]);
});

test("ignores other lines", () => {
  expect(curlRequestsIn("curling is a sport\n{}\n")).toEqual([]);
});
