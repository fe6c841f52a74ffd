/**
 * @module What a scanner is to the broker: a transform with hold-back over the bytes that a plugin
 * sends or writes (contract.md 7). What is not released is neither sent nor published, so that a
 * pattern split over two chunks is still seen whole.
 */

import type { OperationScope } from "@glovebox/core/ports";

/** Looks at one stream of bytes: a request body, a file. Its state belongs to that stream alone. */
export interface Transform {
  /** Takes the next bytes and answers what may go on by now; the rest stays held back. */
  push(chunk: Uint8Array): Inspected;
  /** The stream has ended: answers what was held back. */
  end(): Inspected;
}

/** What a transform answers. */
export interface Inspected {
  /** Bytes that may go on, in order; replaced ones in place of what they replace. */
  readonly release: Uint8Array;
  /** The stream must end here: nothing more of it goes on. */
  readonly block?: InspectionBlock;
}

/** Why a stream was blocked; for the operator, without what was found. */
export interface InspectionBlock {
  /** The scanner's rule, such as `secrets.aws-access-key`. */
  readonly rule: string;
  /** One sentence. */
  readonly reason: string;
}

/** A part of a request that the plugin chose. */
export interface OutgoingPart {
  readonly part: "url" | "header" | "body" | "dns";
  /** The header's name, lower case. */
  readonly name?: string;
}

/** The scanners of a broker. */
export interface Inspection {
  /**
   * Looks at what a plugin sends. All but a body is short and taken whole: to change it would mean
   * another request, so a transform that changes it blocks it.
   */
  outgoing?(scope: OperationScope, part: OutgoingPart): Transform | undefined;
  /**
   * Looks at what a plugin writes to a file, under its guest path, before it is published; a rename
   * is a look under the new path. `undefined` = nothing to look at under this name.
   */
  file?(scope: OperationScope, path: string): Transform | undefined;
}
