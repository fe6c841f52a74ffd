/**
 * @module The cell that every use of a grant looks into, and through which revocation reaches work
 * in flight: what is open registers how it is ended.
 */

/** Shared by a grant and everything opened through it. */
export interface RevocationCell {
  readonly isRevoked: boolean;
  /** Calls `end` at once when the grant is revoked; the answer unregisters. */
  onRevoke(end: () => void): () => void;
  /** Ends everything in flight, synchronously, and says how much that was. */
  revoke(): number;
}

/** A cell that is not revoked. */
export function createRevocationCell(): RevocationCell {
  const inFlight = new Set<() => void>();
  let isRevoked = false;
  return {
    get isRevoked() {
      return isRevoked;
    },
    onRevoke(end) {
      inFlight.add(end);
      return () => inFlight.delete(end);
    },
    revoke() {
      isRevoked = true;
      const ends = [...inFlight];
      inFlight.clear();
      for (const end of ends) end();
      return ends.length;
    },
  };
}
