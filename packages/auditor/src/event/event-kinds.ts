/**
 * @module The closed table of event kinds. An unknown kind is refused, so that a misspelt one is
 * found by the first test and not by an auditor years later.
 */

/** What is said of one kind. */
export interface EventKindEntry {
  /** What happened, in one sentence. */
  readonly summary: string;
  /** Room in the queue is kept for it, so that a flood of other events cannot keep it out. */
  readonly reserved?: true;
  /** Written by the log about itself; `record` refuses it. */
  readonly own?: true;
}

/** Every kind of event. `success` and `code` of the event say how it went. */
export const EVENT_KINDS = {
  load: { summary: "A plugin was loaded, or one of the steps of loading refused." },
  unload: { summary: "A plugin was unloaded." },
  verify: { summary: "A package's signature was checked, or found not to be required." },
  validate: { summary: "A manifest or a module was checked." },
  grant: { summary: "Capabilities were granted to a plugin." },
  allow: { summary: "A use of a capability was allowed." },
  deny: { summary: "A use of a capability was refused." },
  revoke: { summary: "A grant was revoked.", reserved: true },
  call: { summary: "A function of a plugin was called." },
  http: { summary: "A step of an HTTP request by a plugin: begin, address, redirect, end." },
  file: { summary: "A step of a file operation by a plugin: open, change, close." },
  function: { summary: "A plugin called a function of the host application." },
  variable: { summary: "A plugin's lasting state was read or changed." },
  limit: { summary: "A limit or a deadline was met." },
  throttle: { summary: "A plugin was slowed down, or released from it.", reserved: true },
  violation: { summary: "A plugin or its runner did what none may do.", reserved: true },
  quarantine: { summary: "A plugin was quarantined or released.", reserved: true },
  alert: { summary: "An anomaly was reported.", reserved: true },
  configuration: { summary: "The host's configuration was read or changed.", reserved: true },
  loosening: { summary: "A default was loosened by name.", reserved: true },
  operator: { summary: "An operator did something.", reserved: true },
  key: { summary: "A key was used, made or removed.", reserved: true },
  started: { summary: "The host started.", reserved: true },
  stopped: { summary: "The host stopped.", reserved: true },
  interrupted: { summary: "Something ended without its end being recorded.", reserved: true },
  log: { summary: "A line of the host's operational log." },
  opened: { summary: "This log was opened by a writer.", reserved: true, own: true },
  closed: { summary: "This log was closed by its writer.", reserved: true, own: true },
} as const satisfies Readonly<Record<string, EventKindEntry>>;

/** A kind of event. */
export type EventKind = keyof typeof EVENT_KINDS;

const KINDS: ReadonlyMap<string, EventKindEntry> = new Map(Object.entries(EVENT_KINDS));

/** The entry of a kind; `undefined` if there is none. */
export function findKind(kind: string): EventKindEntry | undefined {
  return KINDS.get(kind);
}
