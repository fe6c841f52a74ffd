/** @module The door that pino loads in its worker thread: operational logs, hash-chained. */
export { pinoTransport as default, pinoTransport } from "./pino-transport.ts";
export type { PinoTransportOptions } from "./pino-transport.ts";
