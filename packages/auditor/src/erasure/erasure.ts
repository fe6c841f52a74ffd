/**
 * @module Erasing a person (GDPR article 17) and answering what is kept of one (article 15). Erasing
 * destroys the key; every entry stays as it is, so that every proof still holds, and nobody can read
 * the person's fields any more, here or in any copy. What is about to be destroyed is said in the log
 * before it is, and a process that dies in between leaves a condemned key that the next one destroys.
 */
import { allow, type Decision, refuse } from "@glovebox/core/decision";

import { EXPORT_PAGE_EVENTS } from "../limits.ts";
import type { FoundEvent } from "../query/event-filter.ts";
import { type EventPage, type EventQuery } from "../query/query.ts";
import type { EventRecorder } from "../record/record.ts";
import type { LegalHolds } from "../retention/legal-holds.ts";
import { openFields } from "../subject/personal-fields.ts";
import type { CondemnedKey, SubjectKeyStore } from "../subject/subject-keys.ts";

/** Why something is done with a person's data, and who does it. */
export interface PersonRequest {
  /** For an erasure its ground, such as `GDPR 17(1)(b)`; for an export its purpose. */
  readonly reason: string;
  /** Default `host`. */
  readonly actor?: string;
}

/** What was destroyed. */
export interface ErasureReceipt {
  /** The pseudonym under which the person's events stand, and mean nobody now. */
  readonly subject: string;
  readonly keyFingerprint: string;
}

/** An event with its personal fields in the clear. */
export interface RevealedEvent extends FoundEvent {
  /** By name; absent for an event without personal fields, or of a person who was erased. */
  readonly personal?: Readonly<Record<string, string>>;
}

/** What a rotation of the wrapping key did. */
export interface RewrapReceipt {
  /** Keys of persons that were under another wrapping key. */
  readonly rewrapped: number;
}

/** What can be done with persons. */
export interface Erasure {
  /** Refuses for a person under a legal hold, and for one of whom nothing is kept. */
  erase(person: string, request: PersonRequest): Promise<Decision<ErasureReceipt>>;
  /**
   * Wraps the keys of persons under another wrapping key, the given one or a new one, and destroys the
   * old one. Persons who are new meanwhile wait for the end.
   */
  rotateWrappingKey(
    request: PersonRequest,
    wrappingKey?: Uint8Array,
  ): Promise<Decision<RewrapReceipt>>;
  /** Finishes erasures, and a rotation, that a process died in. */
  resume(): Promise<void>;
  /** Every event of a person, in the clear; recorded, durably, before the first one is answered. */
  exportPerson(
    person: string,
    request: PersonRequest,
  ): Promise<Decision<AsyncIterable<RevealedEvent>>>;
  /** A page of events in the clear, recorded before it is answered: a named loosening. */
  revealEvents(query: EventQuery, request: PersonRequest): Promise<Decision<RevealedPage>>;
}

/** A page in the clear. */
export interface RevealedPage {
  readonly events: readonly RevealedEvent[];
  readonly cursor: string | undefined;
}

/** What erasing needs. */
export interface ErasureParts {
  readonly keys: SubjectKeyStore;
  readonly holds: LegalHolds;
  readonly recorder: EventRecorder;
  readonly query: (query: EventQuery) => Promise<EventPage>;
}

const RULE = "audit.erasure";
const CONTINUED: PersonRequest = { reason: "continued after an interruption" };

/** Joins keys, holds and log. */
export function createErasure({ keys, holds, recorder, query }: ErasureParts): Erasure {
  async function destroy(condemned: CondemnedKey, request: PersonRequest): Promise<Decision<void>> {
    const { subject, fingerprint } = condemned;
    const begun = await say("erasure.begin", true, subject, request, {
      keyFingerprint: fingerprint,
    });
    if (!begun.allowed) return begun;
    try {
      await keys.destroy(subject);
    } catch (error) {
      const failed = refuse("AUDITOR_ERASURE_INCOMPLETE", RULE, String(error));
      await say("erasure.end", false, subject, request, { code: failed.code });
      return failed;
    }
    return say("erasure.end", true, subject, request, { keyFingerprint: fingerprint });
  }

  async function say(
    rule: string,
    success: boolean,
    subject: string,
    { reason, actor = "host" }: PersonRequest,
    details: Readonly<Record<string, string | number>>,
  ): Promise<Decision<void>> {
    const [kind = ""] = rule.split(".");
    const event = { kind, success, rule, actor, details: { ...details, reason } };
    const taken = recorder.recordOwn(event, subject === "" ? {} : { subject });
    if (!taken.allowed) return taken;
    await taken.value.durable;
    return allow(rule, undefined);
  }

  function reveal(found: FoundEvent): RevealedEvent {
    const { subject } = found.event;
    const key = subject === undefined ? undefined : keys.findSubject(subject);
    const fields = key && openFields(key, found.event);
    return fields?.allowed === true
      ? { ...found, personal: Object.fromEntries(fields.value) }
      : found;
  }

  async function rotateWrappingKey(
    request: PersonRequest,
    wrappingKey?: Uint8Array,
  ): Promise<Decision<RewrapReceipt>> {
    if (keys.rewrap === undefined) {
      return refuse(
        "AUDITOR_SUBJECT_KEYS",
        RULE,
        "this store of keys has no wrapping key to rotate",
      );
    }
    const begun = await say("key.rewrap.begin", true, "", request, {});
    if (!begun.allowed) return begun;
    try {
      const rewrapped = await keys.rewrap(wrappingKey);
      const said = await say("key.rewrap.end", true, "", request, { rewrapped });
      return said.allowed ? allow("key.rewrap", Object.freeze({ rewrapped })) : said;
    } catch (error) {
      const failed = refuse("AUDITOR_SUBJECT_KEYS", RULE, String(error));
      await say("key.rewrap.end", false, "", request, { code: failed.code });
      return failed;
    }
  }

  return {
    rotateWrappingKey,
    async erase(person, request) {
      const key = keys.find(person);
      if (key === undefined) return unknownPerson();
      const hold = holds.on({ subject: key.subject });
      if (hold !== undefined) {
        return refuse("AUDITOR_HELD", "audit.hold", `legal hold ${hold.id} stands on this person`);
      }
      const condemned = await keys.condemn(person);
      if (condemned === undefined) return unknownPerson();
      const destroyed = await destroy(condemned, request);
      if (!destroyed.allowed) return destroyed;
      const { subject, fingerprint } = condemned;
      return allow(RULE, Object.freeze({ subject, keyFingerprint: fingerprint }));
    },
    async resume() {
      if (keys.isRewrapping === true) await rotateWrappingKey(CONTINUED);
      for (const condemned of await keys.condemned()) {
        await destroy(condemned, CONTINUED);
      }
    },
    async exportPerson(person, request) {
      const key = keys.find(person);
      if (key === undefined) return unknownPerson();
      const said = await say("export.person", true, key.subject, request, {});
      if (!said.allowed) return said;
      return allow("audit.export", eventsOf(key.subject));
    },
    async revealEvents(wanted, request) {
      const said = await say("export.plaintext", true, "", request, {});
      if (!said.allowed) return said;
      const { events, cursor } = await query(wanted);
      return allow("audit.export", { events: events.map(reveal), cursor });
    },
  };

  async function* eventsOf(subject: string): AsyncGenerator<RevealedEvent> {
    let cursor: string | undefined;
    do {
      const page: EventPage = await query({
        actor: subject,
        order: "oldest",
        limit: EXPORT_PAGE_EVENTS,
        ...(cursor === undefined ? {} : { cursor }),
      });
      yield* page.events.map(reveal);
      ({ cursor } = page);
    } while (cursor !== undefined);
  }
}

function unknownPerson(): Decision<never> {
  return refuse("AUDITOR_PERSON_UNKNOWN", RULE, "nothing is kept of this person");
}
