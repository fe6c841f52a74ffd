/** @module The door @glovebox/core/encode. Encoding by output medium. */
export { encodeCsvField } from "./csv.ts";
export { encodeHeaderValue } from "./header-value.ts";
export { encodeHtmlAttribute, encodeHtmlText } from "./html.ts";
export { encodeLogLine } from "./log-line.ts";
export { encodeScriptString } from "./script-string.ts";
export { encodeTerminal } from "./terminal.ts";
export { encodeUrlComponent } from "./url.ts";
