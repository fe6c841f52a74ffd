/** @module The sections of a module: id, name, place in the order (core specification 5.5.2). */

/** Id of a custom section: it may stand anywhere and repeat. */
export const CUSTOM_SECTION = 0;

/** Ids by name. */
export const SECTION = {
  custom: CUSTOM_SECTION,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  tag: 13,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  dataCount: 12,
  code: 10,
  data: 11,
} as const satisfies Readonly<Record<string, number>>;

const ORDER: readonly number[] = Object.values(SECTION);

/** The place of a section in the order, from 1; -1 for an unknown id, 0 for a custom section. */
export function rankOf(id: number): number {
  return ORDER.indexOf(id);
}
