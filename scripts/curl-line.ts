/**
 * @module The sample requests that `npm start` prints, read back as requests: the smoke test sends
 * exactly what a newcomer would paste.
 */

/** What a curl command asks for. */
export interface CurlRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** All curl commands in a text; continued lines count as one. */
export function curlRequestsIn(text: string): readonly CurlRequest[] {
  const lines = text.replaceAll(/\\\r?\n\s*/g, " ").split("\n");
  return lines.flatMap((line) => {
    const command = /^\s*(?:\$ )?curl (.+)$/.exec(line)?.[1];
    return command === undefined ? [] : [readCurl(words(command))];
  });
}

function readCurl(args: readonly string[]): CurlRequest {
  const headers: Record<string, string> = {};
  let url = "";
  let method: string | undefined;
  let body: string | undefined;
  const queue = [...args];
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === "-X" || arg === "--request") method = queue.shift();
    else if (arg === "-d" || arg === "--data" || arg === "--data-raw" || arg === "--data-binary")
      body = queue.shift();
    else if (arg === "--json") {
      headers["content-type"] ??= "application/json";
      body = queue.shift();
    } else if (arg === "-H" || arg === "--header") {
      const [name = "", ...value] = (queue.shift() ?? "").split(":");
      headers[name.trim().toLowerCase()] = value.join(":").trim();
    } else if (!arg.startsWith("-")) url = arg;
  }
  if (body !== undefined) headers["content-type"] ??= "application/x-www-form-urlencoded";
  return { url, method: method ?? (body === undefined ? "GET" : "POST"), headers, body };
}

/** Words as a POSIX shell splits them, without expansion. */
function words(command: string): readonly string[] {
  const WORD = /(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/g;
  const PART = /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)|([^\s'"\\]+)/g;
  return [...command.matchAll(WORD)].map(([word]) =>
    [...word.matchAll(PART)]
      .map(
        ([, single, double, escaped, plain]) =>
          single ?? double?.replaceAll(/\\(["\\$`])/g, "$1") ?? escaped ?? plain ?? "",
      )
      .join(""),
  );
}
