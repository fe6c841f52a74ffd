/**
 * @module Events in the vocabulary of OCSF 1.3 (Open Cybersecurity Schema Framework), for SIEMs: as
 * the `map` of a sink that writes JSON. What has no place in the schema goes to `unmapped`, and the
 * whole entry to `raw_data`.
 */
import type { EventKind } from "../event/event-kinds.ts";
import type { LoggedEvent } from "../event/event-members.ts";
import { severityOf } from "./severity.ts";
import type { SinkEvent } from "./sink.ts";

/** A class of OCSF and the activity in it. */
interface OcsfClass {
  readonly class_uid: number;
  readonly class_name: string;
  readonly category_uid: number;
  readonly activity_id: number;
}

const api = (activity_id: number): OcsfClass => ({
  class_uid: 6003,
  class_name: "API Activity",
  category_uid: 6,
  activity_id,
});
const lifecycle = (activity_id: number): OcsfClass => ({
  class_uid: 6002,
  class_name: "Application Lifecycle",
  category_uid: 6,
  activity_id,
});
const entity = (activity_id: number): OcsfClass => ({
  class_uid: 3004,
  class_name: "Entity Management",
  category_uid: 3,
  activity_id,
});
const finding: OcsfClass = {
  class_uid: 2004,
  class_name: "Detection Finding",
  category_uid: 2,
  activity_id: 1,
};

const OTHER_ACTIVITY = 99;

/** Every kind has a class: a test compares. */
const CLASSES: Readonly<Record<EventKind, OcsfClass>> = {
  load: lifecycle(1),
  unload: lifecycle(2),
  started: lifecycle(3),
  stopped: lifecycle(4),
  interrupted: lifecycle(OTHER_ACTIVITY),
  opened: lifecycle(OTHER_ACTIVITY),
  closed: lifecycle(OTHER_ACTIVITY),
  verify: lifecycle(OTHER_ACTIVITY),
  validate: lifecycle(OTHER_ACTIVITY),
  grant: entity(1),
  revoke: entity(4),
  configuration: entity(3),
  loosening: entity(3),
  operator: entity(OTHER_ACTIVITY),
  key: entity(OTHER_ACTIVITY),
  hold: entity(OTHER_ACTIVITY),
  erasure: entity(4),
  prune: entity(4),
  export: entity(2),
  delivery: entity(OTHER_ACTIVITY),
  allow: api(OTHER_ACTIVITY),
  deny: api(OTHER_ACTIVITY),
  call: api(OTHER_ACTIVITY),
  http: api(OTHER_ACTIVITY),
  file: api(OTHER_ACTIVITY),
  function: api(OTHER_ACTIVITY),
  variable: api(3),
  limit: api(OTHER_ACTIVITY),
  log: api(OTHER_ACTIVITY),
  throttle: finding,
  violation: finding,
  quarantine: finding,
  alert: finding,
};

/** An event as an OCSF object. */
export function toOcsf({ event, origin, index, class: kept, json }: SinkEvent) {
  const ocsf = CLASSES[event.kind];
  const uid = `${origin}/${index}`;
  return {
    ...ocsf,
    type_uid: ocsf.class_uid * 100 + ocsf.activity_id,
    severity_id: severityOf(event).ocsf,
    status_id: event.success ? 1 : 2,
    ...(event.code === undefined ? {} : { status_code: event.code }),
    ...(event.error === undefined ? {} : { status_detail: event.error }),
    time: event.time,
    message: `${event.kind} ${event.success ? "succeeded" : "failed"}`,
    metadata: {
      version: "1.3.0",
      uid,
      log_name: kept,
      product: { name: "Glovebox", vendor_name: "Glovebox", feature: { name: "auditor" } },
    },
    actor: actorOf(event),
    ...byClass(ocsf, event, uid),
    unmapped: {
      rule: event.rule ?? null,
      call_id: event.callId ?? null,
      tenant_id: event.tenantId ?? null,
    },
    raw_data: json,
  };
}

function actorOf({ actor, subject, userId, pluginId }: LoggedEvent) {
  const user = userId ?? subject;
  return {
    ...(user === undefined ? {} : { user: { uid: user } }),
    app_name: pluginId ?? actor ?? "host",
  };
}

/** What a class of OCSF requires besides. */
function byClass({ class_uid }: OcsfClass, event: LoggedEvent, uid: string): object {
  const name = event.pluginId ?? "host";
  if (class_uid === 6002) return { app: { name } };
  if (class_uid === 3004) return { entity: { name, type: event.kind } };
  if (class_uid === 2004) return { finding_info: { uid, title: event.rule ?? event.kind } };
  return {
    api: { operation: event.function ?? event.kind, service: { name } },
    src_endpoint: { name },
  };
}
