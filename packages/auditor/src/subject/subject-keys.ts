/**
 * @module The port to the keys of persons. A person's fields in the log are encrypted under that
 * person's key and stand under a pseudonym that only the key store can tell: destroying both is
 * erasing the person from a log that nobody can change (GDPR article 17; EDPB guidelines 02/2025
 * section 4.2 on data in records that cannot be deleted).
 */

/** The key of one person. */
export interface SubjectKey {
  /** The pseudonym: 22 characters of base64url, made from random bytes alone. */
  readonly subject: string;
  /** AES-256 key, 32 bytes. */
  readonly key: Uint8Array;
  /** Until the key is on the disk: what has to be waited for; `undefined` afterwards. */
  readonly durable: Promise<void> | undefined;
}

/** A key that is out of use, and not yet destroyed. */
export interface CondemnedKey {
  readonly subject: string;
  /** Shows which key it was, and nothing of the key. */
  readonly fingerprint: string;
}

/** What the auditor needs of a store of keys. */
export interface SubjectKeyStore extends AsyncDisposable {
  /**
   * The key of a person, made if there is none. Synchronous, because an event has its place at once.
   *
   * @throws {@link AuditorError} (`AUDITOR_SUBJECT_KEYS`) when the store is broken or too busy.
   */
  obtain(person: string): SubjectKey;
  /** The key of a person, `undefined` if there is none, or no more. @throws as `obtain` */
  find(person: string): SubjectKey | undefined;
  /** The key behind a pseudonym. @throws as `obtain` */
  findSubject(subject: string): SubjectKey | undefined;
  /**
   * Takes a person's key out of use, durably: from now on it is not found, and new events of the
   * person get a new key and pseudonym. `undefined` if there is none.
   */
  condemn(person: string): Promise<CondemnedKey | undefined>;
  /** Destroys a condemned key here and in every copy. @throws if one could not be reached. */
  destroy(subject: string): Promise<void>;
  /** Keys that were condemned, by a process that ended before they were destroyed. */
  condemned(): Promise<readonly CondemnedKey[]>;
  /**
   * Wraps every key anew, here and in every copy, under the given wrapping key or a new one of its
   * own, and destroys the old one; answers how many. To be repeated if it rejects. Absent from a
   * store that knows no wrapping key.
   */
  rewrap?(wrappingKey?: Uint8Array): Promise<number>;
  /** Whether a process ended within `rewrap`, and the store itself can go on with it. */
  readonly isRewrapping?: boolean;
}
