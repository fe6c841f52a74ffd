/**
 * @module Who is next, and who has had enough: places are shared between plugins, and a plugin's
 * between its tenants, by how many each holds and then by how long each has held any. Callers of a
 * flooding plugin are attacker-controlled; they wait in their own line and lengthen nobody else's.
 * Pure: time comes in as an argument.
 */

/** One party of a share: a plugin, or a tenant within it. */
export interface Party {
  held: number;
  /** Time for which places were held while others waited, milliseconds. */
  servedMs: number;
  /** Orders parties that are equal otherwise: who was given a place last stands last. */
  turn: number;
}

/** A party of the first level, with those within it. */
export interface Group extends Party {
  waiting: number;
  readonly members: Map<string | undefined, Party>;
}

/** The share of one applicant: its group and its own within it. */
export interface Standing {
  readonly group: Group;
  readonly member: Party;
}

/** Keeps the account of every party that holds or waits. */
export class FairShare<Key extends object> {
  readonly #groups = new Map<Key, Group>();
  #turn = 0;

  /** The standing of a tenant of a plugin; a newcomer begins level with the least served. */
  standing(key: Key, tenant: string | undefined): Standing {
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { ...newcomer(this.#groups.values()), waiting: 0, members: new Map() };
      this.#groups.set(key, group);
    }
    let member = group.members.get(tenant);
    if (member === undefined) {
      member = newcomer(group.members.values());
      group.members.set(tenant, member);
    }
    return { group, member };
  }

  /** Places that a plugin holds. */
  heldBy(key: Key): number {
    return this.#groups.get(key)?.held ?? 0;
  }

  /** Notes that a place was given. */
  grant({ group, member }: Standing): void {
    this.#turn += 1;
    for (const party of [group, member]) {
      party.held += 1;
      party.turn = this.#turn;
    }
  }

  /** Notes that a place was given back after so long. */
  release({ group, member }: Standing, heldMs: number): void {
    for (const party of [group, member]) {
      party.held -= 1;
      party.servedMs += heldMs;
    }
  }

  /** Hands a place on to another tenant of the same plugin; answers its standing. */
  move(from: Standing, key: Key, tenant: string | undefined): Standing {
    const to = this.standing(key, tenant);
    from.member.held -= 1;
    to.member.held += 1;
    return to;
  }

  /** Forgets those who hold and want nothing: to be called when nobody waits, so that no debt is lost. */
  forgetIdle(): void {
    for (const [key, group] of this.#groups) {
      if (group.held === 0 && group.waiting === 0) {
        this.#groups.delete(key);
        continue;
      }
      for (const [tenant, member] of group.members) {
        if (member.held === 0) group.members.delete(tenant);
      }
    }
  }
}

/** Negative when `a` comes before `b`. */
export function compareStanding(a: Standing, b: Standing): number {
  return a.group === b.group
    ? compareParties(a.member, b.member)
    : compareParties(a.group, b.group);
}

/** Whether `other` has more than `own` by so much that a place may be asked back for it. */
export function hasMore(other: Standing, own: Standing): boolean {
  return other.group === own.group
    ? other.member.held > own.member.held
    : other.group.held > own.group.held;
}

function compareParties(a: Party, b: Party): number {
  return a.held - b.held || a.servedMs - b.servedMs || a.turn - b.turn;
}

function newcomer(others: Iterable<Party>): Party {
  let servedMs = Number.POSITIVE_INFINITY;
  for (const other of others) servedMs = Math.min(servedMs, other.servedMs);
  return { held: 0, servedMs: Number.isFinite(servedMs) ? servedMs : 0, turn: 0 };
}
