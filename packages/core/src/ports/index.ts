/**
 * @module The ports between modules, as types only (contract.md 7). A module that offers one and a
 * module that needs one both import it from here and never each other; the runtime joins them.
 */
export type { CallScope, Meter, OperationScope } from "./scope.ts";
export type { AuditEvent, AuditPlace, DecisionLog, EventSink, Receipt } from "./audit.ts";
export type { HttpExchange, HttpPort, HttpRequest, HttpResponseHead } from "./http.ts";
export type {
  FileCondition,
  FileDecision,
  FileHandle,
  FileOpenOptions,
  FilePage,
  FilePort,
  FileRefusal,
  FileRight,
  FileStat,
  FileTimes,
  LinkOptions,
} from "./files.ts";
export type {
  HostFunction,
  HostServices,
  HostValue,
  HostValueType,
  VariableStore,
} from "./host-services.ts";
export type { Engine, EngineVerdict, ExternKind, ModuleExport, ModuleImport } from "./engine.ts";
export type { CallOutcome, CodedError, Usage } from "./outcome.ts";
