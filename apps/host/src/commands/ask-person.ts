/** @module One question to the person at the keyboard. */
import { createInterface } from "node:readline/promises";

/** A keyboard and a screen. */
export interface Keyboard {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** The line that is typed; the end of the input is an empty one. */
export async function askPerson(question: string, keyboard: Keyboard): Promise<string> {
  using lines = createInterface(keyboard);
  const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  // Awaited here: at its end the function gives the keyboard back.
  return await Promise.race([lines.question(question), ended]);
}
