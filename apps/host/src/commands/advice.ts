/**
 * @module What to do about the failures that somebody meets who types a command for the first time,
 * in the words of the command line: modules advise applications, which have no `--trust`. It follows
 * the message in the same line, for a failure is one line.
 */
import { HOST_ERRORS } from "../errors.ts";

const ADVICE: ReadonlyMap<string, string> = new Map([
  ["AUDITOR_LOCKED", "Stop the host that runs on it; a second host needs a --data of its own."],
  ["HOST_AUDIT_UNANCHORED", HOST_ERRORS.HOST_AUDIT_UNANCHORED.advice],
  ["HOST_DATA_DIRECTORY", HOST_ERRORS.HOST_DATA_DIRECTORY.advice],
  ["HOST_LISTEN", HOST_ERRORS.HOST_LISTEN.advice],
  ["HOST_NOT_RUNNING", HOST_ERRORS.HOST_NOT_RUNNING.advice],
  ["HOST_PRIVATE_FILE", HOST_ERRORS.HOST_PRIVATE_FILE.advice],
  [
    "RUNTIME_PACKAGE_FILE_MISSING",
    "A package is the folder that its build makes, such as my-plugin/dist: plugin.yaml at its top, and the modules that it names.",
  ],
  [
    "SIGNER_KEY",
    "keygen makes FILE, the private key that signs, and FILE.pub, the public one for --trust.",
  ],
  ["SIGNER_KEY_UNKNOWN", "Name its publisher's public key with --trust, if you know who that is."],
  [
    "SIGNER_SIGNATURE_MISSING",
    "Sign it (glovebox sign) and name the public key with --trust, or pass --allow-unsigned.",
  ],
]);

/** A message with what to do, where the command line knows it. */
export function withAdvice(code: string, message: string): string {
  const advice = ADVICE.get(code);
  if (advice === undefined) return message;
  return /[.!?]$/.test(message) ? `${message} ${advice}` : `${message}. ${advice}`;
}
