/**
 * @module The ports between modules, as types only (contract.md 7). A module that offers one and a
 * module that needs one both import it from here and never each other; the runtime joins them.
 * Every port takes the scope of the call that it serves.
 */
import type { Decision } from "../decision/index.ts";
import type { CallId, PluginId, TenantId } from "../ids/index.ts";
import type { JsonValue } from "../json/index.ts";

/** What a call has used, counted where it happens. */
export interface Meter {
  add(counter: "networkRequests" | "fileOperations" | "hostCalls", amount: number): void;
}

/** Whom an operation concerns; all parts are absent for what concerns the whole host. */
export interface OperationScope {
  readonly pluginId?: PluginId;
  readonly callId?: CallId;
  readonly tenantId?: TenantId;
}

/** The call that a port serves. `signal` is deadline, kill and revocation alike. */
export interface CallScope extends OperationScope {
  readonly pluginId: PluginId;
  readonly callId: CallId;
  readonly signal: AbortSignal;
  readonly meter: Meter;
}

/** One security-relevant step; `details` holds no secrets. Kinds: the auditor's table. */
export interface AuditEvent {
  readonly kind: string;
  readonly success: boolean;
  readonly function?: string;
  readonly userId?: string;
  readonly code?: string;
  readonly rule?: string;
  readonly error?: string;
  readonly executionTimeMs?: number;
  readonly resourceUsage?: Usage;
  readonly details?: Readonly<Record<string, JsonValue>>;
}

/** Where an event stands in a log. */
export interface Receipt { readonly origin: string; readonly index: number; readonly size: number }
/** An event's place in the queue, and when it is on disk and under a published head. */
export interface AuditPlace { readonly place: number; readonly durable: Promise<Receipt>; readonly sealed: Promise<Receipt> }
/** Takes an event's place before its effect; a full or broken log refuses. */
export interface DecisionLog { record(scope: OperationScope, event: AuditEvent): Decision<AuditPlace> }
/** Is only told, and cannot refuse. */
export interface EventSink { onEvent(scope: OperationScope, event: AuditEvent): void }

/** A request as the plugin wrote it: every field is attacker-controlled. */
export interface HttpRequest { readonly method: string; readonly url: string; readonly headers: readonly (readonly [string, string])[] }
/** Status and headers of a response. */
export interface HttpResponseHead { readonly status: number; readonly headers: readonly (readonly [string, string])[] }
/** A pulled stream both ways; at most 256 KiB are buffered each way. */
export interface HttpExchange extends AsyncDisposable {
  writeBody(bytes: Uint8Array): Promise<void>;
  finish(): Promise<HttpResponseHead>;
  /** The next bytes, at most `max`; `null` at the end. */
  readBody(max: number): Promise<Uint8Array | null>;
}
/** HTTP out. */
export interface HttpPort { begin(scope: CallScope, request: HttpRequest): Promise<Decision<HttpExchange>> }

/** What may be done with a file; each is a right of its own. */
export type FileRight = "read" | "write" | "create" | "append" | "truncate" | "delete" | "rename" | "mkdir" | "list" | "stat" | "setTimes";
/** What is said of a file or folder; times in milliseconds since 1970. */
export interface FileStat { readonly kind: "file" | "directory"; readonly size: number; readonly modifiedMs: number }
/** One page of names; `cursor` is absent on the last. */
export interface FilePage { readonly entries: readonly { readonly name: string; readonly kind: FileStat["kind"] }[]; readonly cursor?: string }
/** An open file; rejects with a coded error once closed or revoked. */
export interface FileHandle extends AsyncDisposable {
  readAt(offset: number, max: number): Promise<Uint8Array>;
  writeAt(offset: number, bytes: Uint8Array): Promise<void>;
  truncate(size: number): Promise<void>;
  sync(): Promise<void>;
  stat(): Promise<FileStat>;
  setTimes(accessedMs: number, modifiedMs: number): Promise<void>;
  close(): Promise<void>;
}
/** Files by guest path. */
export interface FilePort {
  open(scope: CallScope, path: string, rights: ReadonlySet<FileRight>): Promise<Decision<FileHandle>>;
  stat(scope: CallScope, path: string): Promise<Decision<FileStat>>;
  list(scope: CallScope, path: string, cursor: string | undefined, max: number): Promise<Decision<FilePage>>;
  rename(scope: CallScope, from: string, to: string): Promise<Decision<void>>;
  remove(scope: CallScope, path: string): Promise<Decision<void>>;
  mkdir(scope: CallScope, path: string): Promise<Decision<void>>;
}

/** A value that crosses to a host function: bytes are owned copies. */
export type HostValue = Uint8Array | number | bigint;
/** How a host function's parameter or result looks to it. */
export type HostValueType = "bytes" | "i32" | "i64" | "f64";
/** A function that the host application offers to plugins. A refusal's reason stays with the operator. */
export interface HostFunction {
  readonly parameters: readonly HostValueType[];
  readonly result: HostValueType | "none";
  call(scope: CallScope, args: readonly HostValue[]): Promise<Decision<HostValue | undefined>>;
}
/** A plugin's lasting state, with a quota, outside its process. */
export interface VariableStore {
  get(scope: CallScope, key: string): Promise<Decision<Uint8Array | undefined>>;
  set(scope: CallScope, key: string, value: Uint8Array | undefined): Promise<Decision<void>>;
}
/** Everything that a plugin can reach. */
export interface HostServices {
  readonly http: HttpPort;
  readonly files: FilePort;
  readonly variables: VariableStore;
  readonly functions: ReadonlyMap<string, HostFunction>;
  readonly config: ReadonlyMap<string, string>;
  log(scope: CallScope, level: "trace" | "debug" | "info" | "warn" | "error", message: string): void;
}

/** One import or export as the engine reports it. */
export interface ModuleImport { readonly module: string; readonly name: string; readonly kind: ExternKind }
/** One export as the engine reports it. */
export interface ModuleExport { readonly name: string; readonly kind: ExternKind }
/** The kinds of WebAssembly's external values. */
export type ExternKind = "function" | "memory" | "table" | "global" | "tag";
/** What the engine says of a module that it accepted. */
export interface EngineVerdict { readonly imports: readonly ModuleImport[]; readonly exports: readonly ModuleExport[] }
/** The WebAssembly engine, in the process that will hold the module (I1). */
export interface Engine { validate(original: Uint8Array): Promise<Decision<EngineVerdict>> }

/** What one call used; `null` = not measured (contract.md 3). */
export interface Usage {
  readonly wallMs: number; readonly cpuMs: number | null;
  readonly instructions: number | null; readonly instructionsExact: boolean | null;
  readonly memoryPeakBytes: number | null;
  readonly inputBytes: number; readonly outputBytes: number;
  readonly networkRequests: number; readonly fileOperations: number;
}
/** An error as a caller sees it. */
export interface CodedError { readonly code: string; readonly message: string; readonly publicMessage: string; readonly details: Readonly<Record<string, unknown>> }
/** How a call ended; usage is carried either way. */
export type CallOutcome<Output = Uint8Array> =
  | { readonly ok: true; readonly output: Output; readonly usage: Usage }
  | { readonly ok: false; readonly error: CodedError; readonly usage: Usage };
