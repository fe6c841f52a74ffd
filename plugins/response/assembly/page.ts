/** @module The page, and the escaping that keeps what a request says from becoming markup. */
import { Parameters } from "./parameters";

/** An HTML page that shows the request. */
export function renderPage(method: string, path: string, query: Parameters): string {
  const title = escapeHtml(method + " " + path);
  const parts: string[] = [
    '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>',
    title,
    "</title></head>\n<body>\n<h1>",
    title,
    "</h1>\n",
  ];
  if (query.names.length == 0) parts.push("<p>No query parameters.</p>\n");
  else parts.push(renderTable(query));
  parts.push("</body>\n</html>\n");
  return parts.join("");
}

function renderTable(query: Parameters): string {
  const parts: string[] = ["<table>\n"];
  for (let at = 0; at < query.names.length; at++) {
    parts.push("<tr><th>");
    parts.push(escapeHtml(query.names[at]));
    parts.push("</th><td>");
    parts.push(escapeHtml(query.values[at]));
    parts.push("</td></tr>\n");
  }
  parts.push("</table>\n");
  return parts.join("");
}

/** Text for element content and quoted attributes alike; control characters are shown as U+FFFD. */
export function escapeHtml(text: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const replacement = replacementOf(text.charCodeAt(at));
    if (replacement.length == 0) continue;
    parts.push(text.substring(from, at));
    parts.push(replacement);
    from = at + 1;
  }
  parts.push(text.substring(from));
  return parts.join("");
}

function replacementOf(code: i32): string {
  if (code == 0x26) return "&amp;";
  if (code == 0x3c) return "&lt;";
  if (code == 0x3e) return "&gt;";
  if (code == 0x22) return "&quot;";
  if (code == 0x27) return "&#39;";
  const isControl = (code < 0x20 && code != 0x09 && code != 0x0a) || code == 0x7f;
  return isControl ? "\ufffd" : "";
}
