/** @module The host function that knows the keys. */
import { Argument, encodeText } from "@glovebox/plugin-sdk/assembly";

/** HMAC-SHA-256 of `data` under the key of this name, compared in constant time: 1 equal, 0 not. */
@external("extism:host/user", "verify_hmac")
export declare function verify_hmac(keyName: u64, data: u64, mac: u64): i64;

/** Asks the host whether `mac` is right. */
export function verifyHmac(keyName: string, data: Uint8Array, mac: Uint8Array): bool {
  const name = new Argument(encodeText(keyName));
  const signed = new Argument(data);
  const code = new Argument(mac);
  // Exactly 1: whatever else an answer may come to mean, it is not "yes".
  const equal = verify_hmac(name.handle, signed.handle, code.handle) == 1;
  name.free();
  signed.free();
  code.free();
  return equal;
}
