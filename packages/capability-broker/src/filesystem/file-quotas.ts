/** @module The accounts of host folders as the host's thread knows them, and what a grant sees of them. */
import type { AccountTotals, RootPlace } from "../disk/protocol.ts";
import type { FolderGrant } from "../grant/grant.ts";
import type { QuotaState } from "../grant/quota-state.ts";

/** The last totals that the workers told. */
export interface KnownAccounts {
  tell(totals: readonly AccountTotals[]): void;
  of(root: RootPlace): AccountTotals | undefined;
  /** What is temporary is gone. */
  forget(keys: readonly string[]): void;
}

/** Nothing told yet. */
export function createKnownAccounts(): KnownAccounts {
  const known = new Map<string, AccountTotals>();
  return {
    tell(totals) {
      for (const one of totals) known.set(keyOf(one.root), one);
    },
    of: (root) => known.get(keyOf(root)),
    forget(keys) {
      for (const key of keys) known.delete(keyOf({ kind: "temporary", key }));
    },
  };
}

/** Two entries for a folder: its bytes and its files. */
export function folderQuotas(
  { guest, quotaBytes, maxFiles }: FolderGrant,
  totals: AccountTotals | undefined,
): readonly QuotaState[] {
  const state = (what: QuotaState["what"], max: number, used: number | undefined): QuotaState => ({
    what,
    folder: guest,
    max,
    ...(used === undefined ? {} : { used, remaining: Math.max(max - used, 0) }),
  });
  return [state("fileBytes", quotaBytes, totals?.bytes), state("files", maxFiles, totals?.entries)];
}

function keyOf(root: RootPlace): string {
  return root.kind === "host" ? `host ${root.path}` : `temporary ${root.key}`;
}
