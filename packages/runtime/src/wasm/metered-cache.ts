/**
 * @module Metered modules that were made before, so that loading a plugin again or a module that
 * several share meters nothing. The key names all that the bytes depend on: the original's digest,
 * the versions of metering and of its costs, and the maxima that were written in.
 */
import type { Sha256 } from "@glovebox/core/ids";

import { MAX_METERED_CACHE_BYTES } from "../limits.ts";
import type { MeteredBytes } from "./messages.ts";

/** What a metered module depends on. */
export interface MeteredKey {
  readonly sha256: Sha256;
  readonly versions: string;
  readonly maxMemoryPages: number;
  readonly maxTableElements: number;
}

/** Keeps the most recently used modules, 64 MiB of them at most. */
export class MeteredCache {
  /** In the order of use, the oldest first. */
  readonly #modules = new Map<string, MeteredBytes>();
  #bytes = 0;

  get(key: MeteredKey): MeteredBytes | undefined {
    const name = nameOf(key);
    const found = this.#modules.get(name);
    if (found === undefined) return undefined;
    this.#modules.delete(name);
    this.#modules.set(name, found);
    return found;
  }

  set(key: MeteredKey, module: MeteredBytes): void {
    const name = nameOf(key);
    this.#drop(name);
    if (module.bytes.length > MAX_METERED_CACHE_BYTES) return;
    this.#modules.set(name, module);
    this.#bytes += module.bytes.length;
    for (const oldest of this.#modules.keys()) {
      if (this.#bytes <= MAX_METERED_CACHE_BYTES) return;
      this.#drop(oldest);
    }
  }

  #drop(name: string): void {
    this.#bytes -= this.#modules.get(name)?.bytes.length ?? 0;
    this.#modules.delete(name);
  }
}

function nameOf({ sha256, versions, maxMemoryPages, maxTableElements }: MeteredKey): string {
  return [sha256, versions, maxMemoryPages, maxTableElements].join(":");
}
