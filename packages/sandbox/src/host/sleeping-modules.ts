/**
 * @module The modules of one plugin: in memory while it has runners, in the store while it sleeps.
 * What is loaded later is always what was loaded first, by digest.
 */
import type { NamedModuleBytes } from "./load-plugin.ts";
import { type ModuleKey, moduleKey, type ModuleStore } from "./module-store.ts";

interface Entry {
  readonly name: string;
  readonly key: ModuleKey;
  bytes: Uint8Array | undefined;
}

/** Modules that can be put away and had again. */
export class SleepingModules {
  readonly #store: ModuleStore;
  readonly #entries: readonly Entry[];
  #kept: Promise<unknown> | undefined;

  constructor(store: ModuleStore, modules: readonly NamedModuleBytes[]) {
    this.#store = store;
    this.#entries = modules.map(({ name, bytes }) => ({ name, bytes, key: moduleKey(bytes) }));
  }

  /**
   * Puts them into the store, and out of memory if `mayForget` still holds then. What cannot be
   * written stays in memory.
   */
  async putAway(mayForget: () => boolean): Promise<void> {
    try {
      await (this.#kept ??= Promise.all(
        this.#entries.map(async ({ key, bytes }) => bytes && this.#store.keep(key, bytes)),
      ));
    } catch {
      this.#kept = undefined;
      return;
    }
    if (mayForget()) for (const entry of this.#entries) entry.bytes = undefined;
  }

  /**
   * All of them, in memory again.
   *
   * @throws {@link SandboxError} (`SANDBOX_MODULE_CHANGED`)
   */
  async get(): Promise<readonly NamedModuleBytes[]> {
    const modules: NamedModuleBytes[] = [];
    for (const entry of this.#entries) {
      entry.bytes ??= await this.#store.read(entry.key);
      modules.push({ name: entry.name, bytes: entry.bytes });
    }
    return modules;
  }

  /** The plugin is gone: the store need not keep them. */
  async discard(): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined) return;
    await kept.catch(() => undefined);
    await Promise.all(this.#entries.map(({ key }) => this.#store.drop(key)));
  }
}
