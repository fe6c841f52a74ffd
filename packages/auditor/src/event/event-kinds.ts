/**
 * @module The closed table of event kinds. An unknown kind is refused, so that a misspelt one is
 * found by the first test and not by an auditor years later.
 */

/** What is said of one class: why its entries are kept apart, and for how long by default. */
export interface RetentionClassEntry {
  /** What is kept in it, in one sentence. */
  readonly summary: string;
  /** Days after which an event may be pruned, unless the options say otherwise. */
  readonly days: number;
}

/**
 * The retention classes. Only the beginning of a log can be pruned, so that what is kept for a
 * shorter time needs a log of its own. 400 days: twelve months (PCI DSS 10.5.1) and the month in
 * which somebody looks.
 */
export const RETENTION_CLASSES = {
  security: { summary: "What was decided, changed and done, and by whom.", days: 400 },
  activity: { summary: "What plugins did: calls, and their uses of capabilities.", days: 90 },
  operations: { summary: "Lines of the operational log.", days: 30 },
} as const satisfies Readonly<Record<string, RetentionClassEntry>>;

/** A retention class. */
export type RetentionClass = keyof typeof RETENTION_CLASSES;

/** What is said of one kind. */
export interface EventKindEntry {
  /** What happened, in one sentence. */
  readonly summary: string;
  /** Whose log and window it belongs to. */
  readonly class: RetentionClass;
  /** Room in queue and disk is kept for it, so that a flood of other events cannot keep it out. */
  readonly reserved?: true;
  /** Written by the auditor about itself; `record` refuses it. */
  readonly own?: true;
}

/** Every kind of event. `success` and `code` of the event say how it went. */
export const EVENT_KINDS = {
  load: {
    summary: "A plugin was loaded, or one of the steps of loading refused.",
    class: "security",
  },
  unload: { summary: "A plugin was unloaded.", class: "security" },
  verify: {
    summary: "A package's signature was checked, or found not to be required.",
    class: "security",
  },
  validate: { summary: "A manifest or a module was checked.", class: "security" },
  grant: { summary: "Capabilities were granted to a plugin.", class: "security" },
  allow: { summary: "A use of a capability was allowed.", class: "activity" },
  deny: { summary: "A use of a capability was refused.", class: "security" },
  revoke: { summary: "A grant was revoked.", class: "security", reserved: true },
  call: { summary: "A function of a plugin was called.", class: "activity" },
  http: {
    summary: "A step of an HTTP request by a plugin: begin, address, redirect, end.",
    class: "activity",
  },
  file: {
    summary: "A step of a file operation by a plugin: open, change, close.",
    class: "activity",
  },
  function: { summary: "A plugin called a function of the host application.", class: "activity" },
  variable: { summary: "A plugin's lasting state was read or changed.", class: "activity" },
  limit: { summary: "A limit or a deadline was met.", class: "activity" },
  throttle: {
    summary: "A plugin was slowed down, or released from it.",
    class: "security",
    reserved: true,
  },
  violation: {
    summary: "A plugin or its runner did what none may do.",
    class: "security",
    reserved: true,
  },
  quarantine: {
    summary: "A plugin was quarantined or released.",
    class: "security",
    reserved: true,
  },
  alert: { summary: "An anomaly was reported.", class: "security", reserved: true },
  configuration: {
    summary: "The host's configuration was read or changed.",
    class: "security",
    reserved: true,
  },
  loosening: { summary: "A default was loosened by name.", class: "security", reserved: true },
  operator: { summary: "An operator did something.", class: "security", reserved: true },
  key: { summary: "A key was used, made or removed.", class: "security", reserved: true },
  started: { summary: "The host started.", class: "security", reserved: true },
  stopped: { summary: "The host stopped.", class: "security", reserved: true },
  interrupted: {
    summary: "Something ended without its end being recorded.",
    class: "security",
    reserved: true,
  },
  log: { summary: "A line of the host's operational log.", class: "operations" },
  opened: {
    summary: "A log was opened by a writer.",
    class: "security",
    reserved: true,
    own: true,
  },
  closed: {
    summary: "A log was closed by its writer.",
    class: "security",
    reserved: true,
    own: true,
  },
  erasure: {
    summary: "A subject's key was destroyed, and with it what was kept of that person.",
    class: "security",
    reserved: true,
    own: true,
  },
  export: {
    summary: "Personal data left the log in the clear, for an access request or by option.",
    class: "security",
    reserved: true,
    own: true,
  },
  prune: {
    summary: "Events below an index were removed because their time was over.",
    class: "security",
    reserved: true,
    own: true,
  },
  hold: {
    summary: "A legal hold was placed or lifted.",
    class: "security",
    reserved: true,
    own: true,
  },
  delivery: {
    summary: "A sink was attached, or lost events that it should have been sent.",
    class: "security",
    reserved: true,
    own: true,
  },
} as const satisfies Readonly<Record<string, EventKindEntry>>;

/** A kind of event. */
export type EventKind = keyof typeof EVENT_KINDS;

const KINDS: ReadonlyMap<string, EventKindEntry> = new Map(Object.entries(EVENT_KINDS));

/** The entry of a kind; `undefined` if there is none. */
export function findKind(kind: string): EventKindEntry | undefined {
  return KINDS.get(kind);
}
