/** @module How much of its bounds a grant has used, for operators: one entry for each total that is counted. */

/** One total of a grant, as it is now. */
export interface QuotaState {
  /** Requests and bytes over the life of the grant; bytes and entries below a folder of the host. */
  readonly what: "requests" | "sentBytes" | "receivedBytes" | "fileBytes" | "files";
  /** Guest folder whose host folder is counted, with what all grants on it have there; absent = network. */
  readonly folder?: string;
  /** Absent = not counted yet: a folder is counted when it is first changed. */
  readonly used?: number;
  /** Absent = no bound. */
  readonly max?: number;
  /** Of this grant and those that it was attenuated from, the least; absent = no bound, or not counted yet. */
  readonly remaining?: number;
}
