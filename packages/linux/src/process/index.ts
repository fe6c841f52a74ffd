/** @module The door of @glovebox/linux/process. */
export {
  becomeUser,
  limitLifeCpu,
  prepareDataLimit,
  prepareFilter,
  restrictProcess,
} from "./process-control.ts";
export type { User } from "./process-control.ts";
export { confineThread, landlockVersion } from "./landlock.ts";
export { loadSystemCalls } from "./system-calls.ts";
export type { SystemCalls } from "./system-calls.ts";
