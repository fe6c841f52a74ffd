/**
 * @module The modules of one plugin: in memory while it has runners, in the store while it sleeps.
 * What wakes is always what fell asleep, by digest; the digest is made then, so that starting a plugin
 * does not wait for it.
 */
import { SandboxError } from "../errors.ts";
import type { NamedModuleBytes } from "./load-plugin.ts";
import { type ModuleKey, moduleKey, type ModuleStore } from "./module-store.ts";

interface Entry {
  readonly name: string;
  /** Known once the module was put away. */
  key: ModuleKey | undefined;
  bytes: Uint8Array | undefined;
}

/** Modules that can be put away and had again. */
export class SleepingModules {
  readonly #store: ModuleStore;
  readonly #entries: readonly Entry[];
  #kept: Promise<unknown> | undefined;

  constructor(store: ModuleStore, modules: readonly NamedModuleBytes[]) {
    this.#store = store;
    this.#entries = modules.map(({ name, bytes }) => ({ name, bytes, key: undefined }));
  }

  /**
   * Puts them into the store, and out of memory if `mayForget` still holds then. What cannot be
   * written stays in memory.
   */
  async putAway(mayForget: () => boolean): Promise<void> {
    try {
      await (this.#kept ??= Promise.all(
        this.#entries.map(async (entry) => {
          const { bytes } = entry;
          if (bytes === undefined) return;
          entry.key ??= await moduleKey(bytes);
          await this.#store.keep(entry.key, bytes);
        }),
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
      modules.push({ name: entry.name, bytes: await this.#bytesOf(entry) });
    }
    return modules;
  }

  /** The plugin is gone: the store need not keep them. */
  async discard(): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined) return;
    await kept.catch(() => undefined);
    await Promise.all(this.#entries.map(async ({ key }) => key && this.#store.drop(key)));
  }

  async #bytesOf(entry: Entry): Promise<Uint8Array> {
    if (entry.bytes !== undefined) return entry.bytes;
    // Bytes are forgotten only after they were put away.
    if (entry.key === undefined) throw new SandboxError("SANDBOX_MODULE_CHANGED");
    entry.bytes = await this.#store.read(entry.key);
    return entry.bytes;
  }
}
