/** @module What the host's thread and the spawner's thread tell each other. */
import type { ProcessEnd, SpawnCommand } from "./spawn-point.ts";

/** What a spawner is started with. */
export interface SpawnerSetup {
  /** Path of the socket that it listens on. */
  readonly socketPath: string;
  /** Files, and folders with what is in them, that its children may read and run. */
  readonly readable: readonly string[];
  /** Path of koffi's program, where it is needed. */
  readonly koffiEntry?: string;
}

/** To the spawner. */
export type SpawnerRequest =
  | { readonly kind: "spawn"; readonly id: number; readonly command: SpawnCommand }
  | { readonly kind: "kill"; readonly id: number };

/** From the spawner. `ready` comes first: the version of Landlock, or why there is none. */
export type SpawnerReport =
  | { readonly kind: "ready"; readonly landlock: number | string }
  | { readonly kind: "spawned"; readonly id: number; readonly pid: number }
  | { readonly kind: "failed"; readonly id: number; readonly message: string }
  | {
      readonly kind: "ended";
      readonly id: number;
      readonly end: ProcessEnd;
      readonly lastWords: string;
    };
