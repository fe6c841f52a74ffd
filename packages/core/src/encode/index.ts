/** @module The door @glovebox/core/encode. Encoding by output medium. */
export { encodeHtmlAttribute, encodeHtmlText } from "./html.ts";
export { encodeLogLine } from "./log-line.ts";
export { encodeTerminal } from "./terminal.ts";
