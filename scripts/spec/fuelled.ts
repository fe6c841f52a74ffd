/**
 * @module A metered module with a budget in its bytes. Fuel begins at 0 and is set on the instance;
 * an instance whose instantiation fails is never seen, and yet may have left functions in a table
 * that it shares. A host leaves those without fuel. Here they get it, so that they too can be compared
 * with the plain run.
 */
import { readModule, SECTION } from "@glovebox/wasm-binary";
import { ByteWriter, writeModule } from "@glovebox/wasm-binary/write";

const I64_CONST = 0x42;
const END = 0x0b;

/** Sets the first value of the last global, which is the one that metering adds. */
export function fuelled(metered: Uint8Array, budget: bigint): Uint8Array<ArrayBuffer> {
  const reading = readModule(metered, { bodies: "skip" });
  if (!reading.allowed) throw new Error(reading.reason);
  const { bytes, globals, sections } = reading.value;
  const section = sections.find(({ id }) => id === SECTION.global);
  const fuel = globals.at(globals.length - 1).initializer;
  if (section === undefined || fuel?.end !== section.end)
    throw new Error("the fuel is not the last global");
  const content = new ByteWriter();
  content.copy(bytes, section.start, fuel.start);
  content.byte(I64_CONST);
  content.signed64(budget);
  content.byte(END);
  return writeModule(reading.value, { replace: new Map([[SECTION.global, content.finish()]]) });
}
