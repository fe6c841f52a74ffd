/**
 * @module Legal holds: while one stands, nothing of its class is pruned, or nothing of its person is
 * erased (GDPR article 17(3)(b) and (e)). They outlive the process, in a file that is replaced as a
 * whole; one that cannot be read holds everything (I9).
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

import { parseBoundedJson } from "@glovebox/core/json";

import { AuditorError } from "../errors.ts";
import { RETENTION_CLASSES, type RetentionClass } from "../event/event-kinds.ts";
import { MAX_HOLD_FILE_BYTES, MAX_HOLDS } from "../limits.ts";
import { createMutex } from "../mutex.ts";

/** The file of holds in an auditor's directory. */
export const HOLDS_FILE = "holds.json";

/** What is held: a class from being pruned, or a person, by pseudonym, from being erased. */
export type HoldTarget = { readonly class: RetentionClass } | { readonly subject: string };

/** A hold that stands. */
export interface LegalHold {
  readonly id: string;
  readonly target: HoldTarget;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
}

/** The holds of one host. */
export interface LegalHolds {
  list(): readonly LegalHold[];
  /** The first hold on a class or person; `undefined` if there is none. */
  on(target: HoldTarget): LegalHold | undefined;
  /** Durable when it resolves. @throws {@link AuditorError} (`AUDITOR_HOLD`) */
  place(target: HoldTarget, reason: string, sinceMs: number): Promise<LegalHold>;
  /** @throws {@link AuditorError} (`AUDITOR_HOLD`) if there is no such hold */
  lift(id: string): Promise<LegalHold>;
}

/** Reads the holds in a file, which need not exist. @throws {@link AuditorError} (`AUDITOR_HOLD`) */
export async function openLegalHolds(path: string): Promise<LegalHolds> {
  const holds = await readHolds(path);
  /** Each change writes all holds: two at once would lose one. */
  const exclusive = createMutex();

  async function replace(next: readonly LegalHold[]): Promise<void> {
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
    const aside = `${path}.new`;
    {
      await using handle = await open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
      await handle.writeFile(JSON.stringify(next));
      await handle.sync();
    }
    await rename(aside, path);
    await using directory = await open(dirname(path), constants.O_RDONLY);
    await directory.sync();
  }

  return {
    list: () => [...holds.values()],
    on: (target) => [...holds.values()].find((hold) => isSame(hold.target, target)),
    place: (target, reason, sinceMs) =>
      exclusive(async () => {
        if (holds.size >= MAX_HOLDS) throw holdError(`at most ${MAX_HOLDS} holds can stand`);
        const hold: LegalHold = Object.freeze({ id: randomUUID(), target, reason, sinceMs });
        await replace([...holds.values(), hold]);
        holds.set(hold.id, hold);
        return hold;
      }),
    lift: (id) =>
      exclusive(async () => {
        const hold = holds.get(id);
        if (hold === undefined) throw holdError("there is no such hold");
        await replace([...holds.values()].filter((other) => other !== hold));
        holds.delete(id);
        return hold;
      }),
  };
}

/** Holds that stand by now, without changing any. @throws {@link AuditorError} (`AUDITOR_HOLD`) */
export async function readHolds(path: string): Promise<Map<string, LegalHold>> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let text: Buffer;
  try {
    await using handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    text = await readFile(handle);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw holdError(`${path} cannot be read`, cause);
  }
  const parsed = parseBoundedJson(text, { maxBytes: MAX_HOLD_FILE_BYTES });
  if (!parsed.allowed || !Array.isArray(parsed.value)) throw holdError(`${path} holds no holds`);
  const holds = parsed.value as unknown as readonly LegalHold[];
  if (!holds.every(isHold)) throw holdError(`${path} holds something that is no hold`);
  return new Map(holds.map((hold) => [hold.id, Object.freeze(hold)]));
}

function isHold(value: Partial<LegalHold> | null): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { id, target, reason, sinceMs } = value;
  if (typeof id !== "string" || typeof reason !== "string") return false;
  if (!Number.isSafeInteger(sinceMs) || typeof target !== "object") return false;
  return "class" in target
    ? Object.hasOwn(RETENTION_CLASSES, target.class)
    : typeof target.subject === "string";
}

function isSame(one: HoldTarget, other: HoldTarget): boolean {
  if ("class" in one) return "class" in other && one.class === other.class;
  return "subject" in other && one.subject === other.subject;
}

function holdError(message: string, cause?: unknown): AuditorError {
  return new AuditorError("AUDITOR_HOLD", { message, cause });
}
