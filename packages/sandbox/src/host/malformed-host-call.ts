/** @module A host call that cannot come from our runner. */

/** The call's shape is wrong: the process was taken over or is broken. */
export class MalformedHostCall extends Error {}
