/**
 * @module Reads the text of a spec-suite script (`*.wast`) as S-expressions with their places: a
 * module in it is text for the assembler, everything around it is for the runner.
 */

/** A word: a keyword, a name with `$`, a number. */
export interface Word {
  readonly kind: "word";
  readonly text: string;
}

/** A string. Its bytes need not be UTF-8. */
export interface Text {
  readonly kind: "text";
  readonly bytes: Uint8Array;
}

/** A parenthesised list; `start` and `end` are its places in the script. */
export interface List {
  readonly kind: "list";
  readonly items: readonly Form[];
  readonly start: number;
  readonly end: number;
}

/** What a script is made of. */
export type Form = Word | Text | List;

const BLANK = /[ \n\t\r]/;
const WORD_END = /[ \n\t\r()";]/;
const ESCAPES: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  r: 13,
  '"': 34,
  "'": 39,
  "\\": 92,
};
const UTF8 = new TextEncoder();

/** The lists of a script. @throws SyntaxError where it is none. */
export function readForms(source: string): readonly List[] {
  return new Reader(source).all();
}

class Reader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  all(): readonly List[] {
    const lists: List[] = [];
    for (this.#skipBlank(); this.#at < this.#source.length; this.#skipBlank()) {
      const form = this.#form();
      if (form.kind !== "list") throw new SyntaxError(`no list at ${this.#at}`);
      lists.push(form);
    }
    return lists;
  }

  #form(): Form {
    const start = this.#at;
    if (this.#source[start] === '"') return { kind: "text", bytes: this.#text() };
    if (this.#source[start] !== "(") return { kind: "word", text: this.#word() };
    const items: Form[] = [];
    this.#at++;
    for (;;) {
      this.#skipBlank();
      if (this.#at >= this.#source.length) throw new SyntaxError(`the list at ${start} has no end`);
      if (this.#source[this.#at] === ")") break;
      items.push(this.#form());
    }
    this.#at++;
    return { kind: "list", items, start, end: this.#at };
  }

  #word(): string {
    const start = this.#at;
    while (this.#at < this.#source.length && !WORD_END.test(this.#source[this.#at] ?? ""))
      this.#at++;
    if (this.#at === start) throw new SyntaxError(`nothing begins with what is at ${start}`);
    return this.#source.slice(start, this.#at);
  }

  #text(): Uint8Array {
    const bytes: number[] = [];
    const start = this.#at++;
    while (this.#source[this.#at] !== '"') {
      const code = this.#source.codePointAt(this.#at);
      if (code === undefined) throw new SyntaxError(`the string at ${start} has no end`);
      if (code !== 0x5c) {
        bytes.push(...(code < 0x80 ? [code] : UTF8.encode(String.fromCodePoint(code))));
        this.#at += code > 0xffff ? 2 : 1;
      } else bytes.push(...this.#escape());
    }
    this.#at++;
    return Uint8Array.from(bytes);
  }

  #escape(): Iterable<number> {
    const letter = this.#source[this.#at + 1] ?? "";
    const byte = ESCAPES[letter];
    if (byte !== undefined) {
      this.#at += 2;
      return [byte];
    }
    if (letter !== "u") {
      this.#at += 3;
      return [Number.parseInt(this.#source.slice(this.#at - 2, this.#at), 16)];
    }
    const end = this.#source.indexOf("}", this.#at);
    const digits = this.#source.slice(this.#at + 3, end).replaceAll("_", "");
    this.#at = end + 1;
    return UTF8.encode(String.fromCodePoint(Number.parseInt(digits, 16)));
  }

  /** Skips blanks, comments, which nest, and annotations. */
  #skipBlank(): void {
    for (;;) {
      const pair = this.#source.slice(this.#at, this.#at + 2);
      if (BLANK.test(pair[0] ?? "")) this.#at++;
      else if (pair === ";;") this.#at = endOf(this.#source.indexOf("\n", this.#at), this.#source);
      else if (pair === "(;") this.#skipComment();
      else if (pair === "(@") this.#skipAnnotation();
      else return;
    }
  }

  #skipComment(): void {
    let depth = 0;
    do {
      const pair = this.#source.slice(this.#at, this.#at + 2);
      if (pair === "") throw new SyntaxError("a comment has no end");
      if (pair === "(;") depth++;
      if (pair === ";)") depth--;
      this.#at += pair === "(;" || pair === ";)" ? 2 : 1;
    } while (depth > 0);
  }

  #skipAnnotation(): void {
    this.#at += 2;
    for (let depth = 1; depth > 0;) {
      const pair = this.#source.slice(this.#at, this.#at + 2);
      if (pair === "") throw new SyntaxError("an annotation has no end");
      if (pair[0] === '"') this.#text();
      else if (pair === "(;") this.#skipComment();
      else if (pair === ";;") this.#at = endOf(this.#source.indexOf("\n", this.#at), this.#source);
      else {
        depth += pair[0] === "(" ? 1 : pair[0] === ")" ? -1 : 0;
        this.#at++;
      }
    }
  }
}

function endOf(found: number, source: string): number {
  return found < 0 ? source.length : found;
}
