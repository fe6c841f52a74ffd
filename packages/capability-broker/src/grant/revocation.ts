/**
 * @module The cell that every use of a grant looks into, and through which revocation reaches work
 * in flight: what is open registers how it is ended. A cell ends with its parent, and at its time on
 * the monotonic clock: setting the system's time lengthens no grant.
 */
import type { Clock } from "@glovebox/core/clock";

/** Why a grant is no longer there. */
export type EndCode = "BROKER_REVOKED" | "BROKER_EXPIRED";

/** Shared by a grant and everything opened through it. */
export interface RevocationCell {
  /** Why the grant is over, asked at each use along the chain of parents; absent = it is not. */
  readonly endedBy: EndCode | undefined;
  /** Whether it is over, for whatever reason. */
  readonly isRevoked: boolean;
  /** Calls `end` at once when the grant ends; the answer unregisters. */
  onRevoke(end: (code: EndCode) => void): () => void;
  /** Ends everything in flight, synchronously, and says how much that was. */
  revoke(code?: EndCode): number;
}

/** How long a cell lives. */
export interface CellTerms {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly parent?: RevocationCell;
  /** On the monotonic clock; absent = until revoked. */
  readonly expiresAtMs?: number;
}

/** A cell that is not revoked. */
export function createRevocationCell(terms?: CellTerms): RevocationCell {
  const inFlight = new Set<(code: EndCode) => void>();
  const { clock, parent, expiresAtMs = Infinity } = terms ?? {};
  let code: EndCode | undefined;
  const cell: RevocationCell = {
    get endedBy() {
      if (code !== undefined) return code;
      if (expiresAtMs !== Infinity && (clock?.monotonicMs() ?? Infinity) >= expiresAtMs)
        return "BROKER_EXPIRED";
      return parent?.endedBy;
    },
    get isRevoked() {
      return cell.endedBy !== undefined;
    },
    onRevoke(end) {
      inFlight.add(end);
      return () => inFlight.delete(end);
    },
    revoke(reason = "BROKER_REVOKED") {
      code ??= reason;
      const ends = [...inFlight];
      inFlight.clear();
      for (const end of ends) end(code);
      return ends.length;
    },
  };
  return cell;
}
