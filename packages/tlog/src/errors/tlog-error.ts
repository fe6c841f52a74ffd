/**
 * @module The codes of this package. All but `TLOG_OPTION` are refusals: what is parsed and verified
 * here comes from others. docs/errors/tlog.md has a heading for each.
 */
import {
  type ErrorCodeTable,
  SecurityError,
  type SecurityErrorOptions,
} from "@glovebox/core/errors";

/** Every code of this package: what it means and what to do. */
export const TLOG_ERRORS = {
  TLOG_OPTION: {
    summary: "A function of the log was called with a value that it cannot take.",
    advice: "Correct the argument that the message names.",
  },
  TLOG_TILE: {
    summary: "A tile or a bundle of entries does not have the form that its place demands.",
    advice: "Fetch it again; if it stays so, the log's storage is damaged or changed.",
  },
  TLOG_NOTE: {
    summary: "The text is not a signed note.",
    advice: "Pass the file byte for byte; editors and terminals change the em dash and line ends.",
  },
  TLOG_KEY: {
    summary: "The verifier key is malformed, weak, or of an unknown type.",
    advice: "Pass the vkey as its owner published it: name+id+key.",
  },
  TLOG_SIGNATURE: {
    summary: "No trusted key signed the note, or a trusted key's signature does not fit.",
    advice: "Check which keys are trusted; if they are right, the note was forged or changed.",
  },
  TLOG_CHECKPOINT: {
    summary: "The note's text is not a checkpoint.",
    advice: "Pass a checkpoint of the form that C2SP tlog-checkpoint describes.",
  },
  TLOG_PROOF: {
    summary: "The proof is malformed or does not prove what it should.",
    advice: "Ask the log for a new proof; one that fails again shows another history.",
  },
  TLOG_POLICY: {
    summary: "The policy file is malformed.",
    advice: "Correct the line that the reason names.",
  },
  TLOG_QUORUM: {
    summary: "Too few of the policy's witnesses cosigned the checkpoint.",
    advice: "Wait for the witnesses, or find out why they refuse.",
  },
} as const satisfies ErrorCodeTable;

/** A code of this package. */
export type TlogErrorCode = keyof typeof TLOG_ERRORS;

/** Thrown when this package is misused. */
export class TlogError extends SecurityError<TlogErrorCode> {
  static override readonly brand: symbol = Symbol.for("@glovebox/tlog/TlogError");

  constructor(code: TlogErrorCode, options: SecurityErrorOptions = {}) {
    super(code, TLOG_ERRORS[code], options);
  }
}
