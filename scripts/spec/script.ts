/**
 * @module A spec-suite script as a list of commands, its modules assembled (the WebAssembly
 * specification's interpreter, "Scripts"). What this runner cannot do, or the assembler not read, is
 * a command that says so.
 */
import { assemble } from "./assemble.ts";
import { type Constant, readConstant, wordsOf } from "./constant.ts";
import { type Form, type List, readForms } from "./s-expression.ts";

/** A module as a script has it. */
export interface ModuleSource {
  /** Its name in the script, with `$`. */
  readonly id: string | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A call of an export, or a look at a global. */
export interface Action {
  readonly kind: "invoke" | "get";
  /** The instance's name in the script; `undefined` for the newest. */
  readonly instance: string | undefined;
  readonly name: string;
  readonly arguments: readonly Constant[];
}

/** What a command does. */
export type CommandBody =
  | { readonly kind: "module"; readonly module: ModuleSource; readonly isDefinition: boolean }
  | {
      readonly kind: "instance";
      readonly id: string | undefined;
      readonly definition: string | undefined;
    }
  | { readonly kind: "register"; readonly name: string; readonly instance: string | undefined }
  | { readonly kind: "action"; readonly action: Action }
  | { readonly kind: "return"; readonly action: Action; readonly expected: readonly Constant[] }
  | { readonly kind: "trap" | "exception"; readonly action: Action }
  | { readonly kind: "refused"; readonly module: ModuleSource; readonly stage: RefusedStage }
  | { readonly kind: "skipped"; readonly isModule: boolean; readonly reason: string };

/** Where a module must be refused: when it is read, when it is checked, when it is instantiated. */
export type RefusedStage = "malformed" | "invalid" | "unlinkable" | "trap";

/** A command and its line. */
export type Command = CommandBody & { readonly line: number };

const REFUSALS: Readonly<Record<string, RefusedStage>> = {
  assert_malformed: "malformed",
  assert_invalid: "invalid",
  assert_unlinkable: "unlinkable",
  assert_uninstantiable: "trap",
};
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads a script and assembles its modules. */
export async function readScript(source: string): Promise<readonly Command[]> {
  const commands: Command[] = [];
  let line = 1;
  let at = 0;
  for (const form of readForms(source)) {
    line += source.slice(at, form.start).split("\n").length - 1;
    at = form.start;
    commands.push({ line, ...(await readCommand(form, source)) });
  }
  return commands;
}

/** The number of commands in a script; 0 where it is none. */
export function countCommands(source: string): number {
  try {
    return readForms(source).length;
  } catch {
    return 0;
  }
}

async function readCommand(form: List, source: string): Promise<CommandBody> {
  try {
    return await commandOf(form, source);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: "skipped", isModule: wordsOf(form)[0] === "module", reason: error.message };
  }
}

async function commandOf(form: List, source: string): Promise<CommandBody> {
  const [head = "", second] = wordsOf(form);
  switch (head) {
    case "module": {
      if (second === "instance") return instanceOf(form);
      const module = await moduleOf(form, source);
      return { kind: "module", module, isDefinition: second === "definition" };
    }
    case "register":
      return { kind: "register", name: textOf(form.items[1]), instance: idOf(form.items[2]) };
    case "invoke":
    case "get":
      return { kind: "action", action: actionOf(form) };
    case "assert_return":
      return {
        kind: "return",
        action: actionOf(listOf(form.items[1])),
        expected: form.items.slice(2).map(readConstant),
      };
    case "assert_exception":
      return { kind: "exception", action: actionOf(listOf(form.items[1])) };
    case "assert_trap":
    case "assert_exhaustion": {
      const subject = listOf(form.items[1]);
      if (wordsOf(subject)[0] !== "module") return { kind: "trap", action: actionOf(subject) };
      return { kind: "refused", stage: "trap", module: await moduleOf(subject, source) };
    }
    default: {
      const stage = REFUSALS[head];
      if (stage === undefined) throw new SyntaxError(`the engine has nothing for ${head}`);
      return { kind: "refused", stage, module: await moduleOf(listOf(form.items[1]), source) };
    }
  }
}

function instanceOf({ items }: List): CommandBody {
  const [id, definition] = items.slice(2).map(idOf);
  return { kind: "instance", id, definition };
}

async function moduleOf(form: List, source: string): Promise<ModuleSource> {
  let next = 1;
  const keywordAt = (index: number): string | undefined => {
    const item = form.items[index];
    return item?.kind === "word" ? item.text : undefined;
  };
  const isDefinition = keywordAt(next) === "definition";
  if (isDefinition) next++;
  const id = idOf(form.items[next]);
  if (id !== undefined) next++;
  const parts = (): Uint8Array => Buffer.concat(form.items.slice(next + 1).map(bytesOf));
  if (keywordAt(next) === "binary") return { id, bytes: Uint8Array.from(parts()) };
  const written = source.slice(form.start, form.end);
  const text =
    keywordAt(next) === "quote"
      ? quoted(UTF8.decode(parts()))
      : written.replace(/^\(\s*module\s+definition/, "(module");
  const assembly = await assemble(text);
  if ("problem" in assembly) throw new SyntaxError(assembly.problem);
  return { id, bytes: assembly.bytes };
}

/** A quoted module may be only the fields of one. */
function quoted(text: string): string {
  return /^\s*\(\s*module\b/.test(text) ? text : `(module ${text})`;
}

function actionOf(form: List): Action {
  const [head] = wordsOf(form);
  if (head !== "invoke" && head !== "get") throw new SyntaxError(`no action: ${head}`);
  const instance = idOf(form.items[1]);
  const rest = form.items.slice(instance === undefined ? 1 : 2);
  return {
    kind: head,
    instance,
    name: textOf(rest[0]),
    arguments: rest.slice(1).map(readConstant),
  };
}

function listOf(form: Form | undefined): List {
  if (form?.kind !== "list") throw new SyntaxError("a list is missing");
  return form;
}

function idOf(form: Form | undefined): string | undefined {
  return form?.kind === "word" && form.text.startsWith("$") ? form.text : undefined;
}

function textOf(form: Form | undefined): string {
  return UTF8.decode(bytesOf(form));
}

function bytesOf(form: Form | undefined): Uint8Array {
  if (form?.kind !== "text") throw new SyntaxError("a string is missing");
  return form.bytes;
}
