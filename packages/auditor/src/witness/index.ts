/** @module The door @glovebox/auditor/witness. Witnessing logs, and having them witnessed. */
export { createCosigner, requestCosignatures } from "./request-cosignatures.ts";
export type { WitnessFetch } from "./request-cosignatures.ts";
export { createWitnessServer } from "./serve-witness.ts";
export { openWitness } from "./witness.ts";
export type { Witness, WitnessAnswer, WitnessOptions } from "./witness.ts";
