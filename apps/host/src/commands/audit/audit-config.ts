/**
 * @module The configuration of a host's audit log, one JSON file that `serve` and the commands of
 * `audit` share: what is kept for how long, where keys and checkpoints lie, whose witnesses cosign,
 * for whom the host is witness, and where events are sent besides. Paths are relative to the file.
 * Secrets stand in files of their own, which it names.
 */
import { dirname, resolve } from "node:path";

import type { AuditorOptions, RetentionDays } from "@glovebox/auditor";
import { parseBoundedJson } from "@glovebox/core/json";

import {
  list,
  number,
  object,
  oneOf,
  orForEver,
  type Read,
  text,
  wrong,
  yes,
} from "../../config-member.ts";
import { usageError } from "../../errors.ts";
import { MAX_AUDIT_SINKS, MAX_SMALL_FILE_BYTES, MAX_WITNESSED_LOGS } from "../../limits.ts";
import { readOperatorFile } from "../../operator-file.ts";

/** The configuration of an audit log. */
export interface AuditConfig {
  readonly auditor: Partial<Omit<AuditorOptions, "directory" | "durability">>;
  readonly wrappingKey: Uint8Array | undefined;
  readonly witness: WitnessConfig | undefined;
  readonly sinks: readonly SinkConfig[];
  /** What of it is weaker than it could be. */
  readonly loosened: readonly string[];
}

/** The witness that a host is for others. */
export interface WitnessConfig {
  /** The name of its key. */
  readonly name: string;
  /** Default 127.0.0.1; another one is a loosening, for a witness speaks no TLS by itself. */
  readonly address?: string;
  readonly port: number;
  /** Keys of the logs that it watches, as vkeys. */
  readonly logs: readonly string[];
}

/** One receiver of events; `name` is that of its position in the log, by default its type. */
export type SinkConfig = { readonly name?: string } & (
  | { readonly type: "json-lines" | "ocsf"; readonly path: string }
  | { readonly type: "logger" }
  | {
      readonly type: "otlp";
      readonly url: string;
      /** JSON object of request headers, such as an authorisation. */
      readonly headersFile?: string;
      readonly clear?: true;
    }
  | {
      readonly type: "syslog";
      readonly host: string;
      readonly port?: number;
      readonly caFile?: string;
      readonly certificateFile?: string;
      readonly keyFile?: string;
      readonly clear?: true;
    }
  | {
      readonly type: "postgres";
      /** Holds a connection string, `postgres://…`. */
      readonly connectionFile: string;
      readonly table?: string;
    }
);

interface RawConfig {
  readonly retentionDays?: RetentionDays;
  readonly cleanUpHours?: number;
  readonly checkpointDirectory?: string;
  readonly keyDirectory?: string;
  readonly keyCopies?: readonly string[];
  readonly wrappingKeyFile?: string;
  readonly witnessPolicyFile?: string;
  readonly sealIntervalMs?: number;
  readonly witness?: WitnessConfig;
  readonly sinks?: readonly SinkConfig[];
}

const HOUR_MS = 3_600_000;
const LOOPBACK_ADDRESS = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/;
const LOOPBACK_URL = /^http:\/\/(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost)[:/]/;

const port = number(0, 65_535);

/** Without a file: the auditor's own defaults, and nothing besides. */
const NOTHING: AuditConfig = {
  auditor: {},
  wrappingKey: undefined,
  witness: undefined,
  sinks: [],
  loosened: [],
};

/**
 * Reads a configuration.
 *
 * @throws {@link HostError} (`HOST_FILE`, `HOST_USAGE`)
 */
export async function readAuditConfig(file: string | undefined): Promise<AuditConfig> {
  if (file === undefined) return NOTHING;
  const path: Read<string> = (value, where) => resolve(dirname(file), text(value, where));
  const raw = readerOf(path)(await readJson(file), file);
  const { retentionDays, cleanUpHours, sealIntervalMs, keyDirectory, keyCopies } = raw;
  const { checkpointDirectory, witnessPolicyFile, wrappingKeyFile, witness, sinks = [] } = raw;
  const witnessPolicy =
    witnessPolicyFile === undefined ? undefined : (await read(witnessPolicyFile)).toString("utf8");
  return {
    auditor: {
      ...(retentionDays === undefined ? {} : { retentionDays }),
      ...(cleanUpHours === undefined ? {} : { cleanUpEveryMs: cleanUpHours * HOUR_MS }),
      ...(checkpointDirectory === undefined ? {} : { anchorDirectory: checkpointDirectory }),
      ...(keyDirectory === undefined ? {} : { keyDirectory }),
      ...(keyCopies === undefined ? {} : { keyCopies }),
      ...(sealIntervalMs === undefined ? {} : { sealIntervalMs }),
      ...(witnessPolicy === undefined ? {} : { witnessPolicy }),
    },
    wrappingKey: wrappingKeyFile === undefined ? undefined : await readWrappingKey(wrappingKeyFile),
    witness,
    sinks,
    loosened: [
      ...(witness?.address === undefined || LOOPBACK_ADDRESS.test(witness.address)
        ? []
        : ["audit.witness.address"]),
      ...sinks.flatMap((sink) =>
        "clear" in sink ? [`audit.sinks.${sink.name ?? sink.type}.clear`] : [],
      ),
    ],
  };
}

/** A key of 32 bytes in a file. @throws {@link HostError} (`HOST_FILE`, `HOST_USAGE`) */
export async function readWrappingKey(file: string): Promise<Uint8Array> {
  const key = await read(file);
  if (key.length === 32) return key;
  throw usageError(`a wrapping key is a file of 32 random bytes; ${file} has ${key.length}`);
}

function read(file: string): Promise<Buffer> {
  return readOperatorFile(file, MAX_SMALL_FILE_BYTES);
}

async function readJson(file: string): Promise<unknown> {
  const json = parseBoundedJson(await read(file), { maxBytes: MAX_SMALL_FILE_BYTES });
  if (json.allowed) return json.value;
  throw usageError(`${file} is no JSON: ${json.reason}`);
}

function readerOf(path: Read<string>): Read<RawConfig> {
  const days = orForEver(number(0, 36_500));
  return object<RawConfig>({
    retentionDays: object<RetentionDays>({ security: days, activity: days, operations: days }),
    cleanUpHours: orForEver(number(0.001, 8_760)),
    checkpointDirectory: path,
    keyDirectory: path,
    keyCopies: list(path, 16),
    wrappingKeyFile: path,
    witnessPolicyFile: path,
    sealIntervalMs: number(1, 86_400_000),
    witness: object<WitnessConfig>(
      { name: text, address: text, port, logs: list(text, MAX_WITNESSED_LOGS) },
      "name",
      "port",
      "logs",
    ),
    sinks: (value, where) => {
      const sinks = list(sinkReader(path), MAX_AUDIT_SINKS)(value, where);
      const names = sinks.map(({ name, type }) => name ?? type);
      const twice = names.find((name, at) => names.indexOf(name) !== at);
      // They would share one position in the log, and each miss what the other got.
      if (twice !== undefined) throw wrong(where, "of one name each", twice);
      return sinks;
    },
  });
}

function sinkReader(path: Read<string>): Read<SinkConfig> {
  const name = text;
  const file = object<SinkConfig & { type: "json-lines" | "ocsf" }>(
    { type: oneOf("json-lines", "ocsf"), name, path },
    "path",
  );
  const readers: Readonly<Record<SinkConfig["type"], Read<SinkConfig>>> = {
    "json-lines": file,
    ocsf: file,
    logger: object<SinkConfig & { type: "logger" }>({ type: oneOf("logger"), name }),
    otlp: object<SinkConfig & { type: "otlp" }>(
      { type: oneOf("otlp"), name, url: text, headersFile: path, clear: yes },
      "url",
    ),
    syslog: object<SinkConfig & { type: "syslog" }>(
      {
        type: oneOf("syslog"),
        name,
        host: text,
        port,
        caFile: path,
        certificateFile: path,
        keyFile: path,
        clear: yes,
      },
      "host",
    ),
    postgres: object<SinkConfig & { type: "postgres" }>(
      { type: oneOf("postgres"), name, connectionFile: path, table: text },
      "connectionFile",
    ),
  };
  return (value, where) => {
    const { type } = Object(value) as { readonly type?: unknown };
    if (typeof type !== "string" || !Object.hasOwn(readers, type)) {
      throw wrong(`${where}.type`, `one of ${Object.keys(readers).join(", ")}`, type);
    }
    const sink = readers[type as SinkConfig["type"]](value, where);
    if (sink.type === "otlp" && sink.clear === undefined && !isPrivate(sink.url)) {
      throw wrong(`${where}.url`, "https, or loopback, unless `clear` is true", sink.url);
    }
    return sink;
  };
}

function isPrivate(url: string): boolean {
  return url.startsWith("https://") || LOOPBACK_URL.test(url);
}
