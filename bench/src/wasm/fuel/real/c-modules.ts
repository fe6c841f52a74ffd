/** @module Modules written in C and C++: a database, an interpreter, a regular-expression engine, a parser, a compressor, two image codecs. */
import type { QuickJSSyncVariant } from "quickjs-emscripten-core";

import {
  type Encoder,
  packages,
  readPackage,
  type RealCase,
  someImage,
  someSource,
} from "./case.ts";

interface SqlJs {
  readonly Database: new () => {
    run(query: string): void;
    exec(query: string): readonly { readonly values: unknown }[];
  };
}

export const sqlJs: RealCase = {
  name: "sql.js",
  file: "sql.js/dist/sql-wasm.wasm",
  async prepare() {
    const init = packages("sql.js") as (options: object) => Promise<SqlJs>;
    const { Database } = await init({ wasmBinary: readPackage(this.file) });
    const database = new Database();
    database.run("create table t (a integer primary key, b text, c integer)");
    database.run(
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000) insert into t select i, 'row ' || (i * 7919 % 4001), i % 17 from n",
    );
    return () =>
      database.exec(
        "select c, count(*), group_concat(substr(b, 5), ''), sum(a) from t where b like '%1%' group by c order by b limit 9",
      )[0]?.values;
  },
};

export const quickJs: RealCase = {
  name: "quickjs",
  file: "@jitl/quickjs-wasmfile-release-sync/dist/emscripten-module.wasm",
  async prepare() {
    const core = await import("quickjs-emscripten-core");
    const { default: variant } = await import("@jitl/quickjs-wasmfile-release-sync");
    const quick = await core.newQuickJSWASMModuleFromVariant(
      core.newVariant(variant as unknown as QuickJSSyncVariant, {
        wasmBinary: readPackage(this.file).buffer,
      }),
    );
    const context = quick.newContext();
    const code = `(() => { const seen = new Map(); let text = "";
      for (let i = 0; i < 3000; i++) { const key = "k" + i % 97; seen.set(key, (seen.get(key) ?? 0) + i); }
      const list = [...seen].sort((a, b) => a[1] - b[1]).map(([k, v]) => ({ k, v: v ** 0.5 }));
      for (const { k, v } of list) text += JSON.stringify({ k, v: v.toFixed(3) }).replace(/"/g, "'");
      return text; })()`;
    return () =>
      context.unwrapResult(context.evalCode(code)).consume((value) => context.getString(value));
  },
};

interface Oniguruma {
  loadWASM(options: { data: Uint8Array }): Promise<void>;
  createOnigString(text: string): object;
  createOnigScanner(patterns: readonly string[]): {
    findNextMatchSync(
      text: object,
      at: number,
    ): { index: number; captureIndices: { end: number }[] } | null;
  };
}

export const oniguruma: RealCase = {
  name: "vscode-oniguruma",
  file: "vscode-oniguruma/release/onig.wasm",
  async prepare() {
    const library = packages("vscode-oniguruma") as Oniguruma;
    await library.loadWASM({ data: readPackage(this.file) });
    const text = library.createOnigString(someSource(30));
    const scanner = library.createOnigScanner([
      "\\b(function|class|return|for|let|if|else)\\b",
      "/\\*.*?\\*/",
      '"(?:[^"\\\\]|\\\\.)*"',
      "(?<=\\.)[a-z]+(?=\\()",
      "\\b[0-9]+\\b",
      "[A-Za-z_$][\\w$]*",
    ]);
    return () => {
      const counts = [0, 0, 0, 0, 0, 0];
      for (let at = 0; ;) {
        const match = scanner.findNextMatchSync(text, at);
        if (match === null) return counts;
        counts[match.index] = (counts[match.index] ?? 0) + 1;
        at = match.captureIndices[0]?.end ?? Number.POSITIVE_INFINITY;
      }
    };
  },
};

export const treeSitter: RealCase = {
  name: "web-tree-sitter",
  file: "web-tree-sitter/web-tree-sitter.wasm",
  async prepare() {
    const { Parser, Language } = await import("web-tree-sitter");
    await Parser.init({ wasmBinary: readPackage(this.file) });
    const parser = new Parser();
    parser.setLanguage(
      await Language.load(readPackage("tree-sitter-javascript/tree-sitter-javascript.wasm")),
    );
    const source = someSource(8);
    return () => {
      const tree = parser.parse(source);
      const text = tree?.rootNode.toString();
      tree?.delete();
      return text;
    };
  },
};

interface Zstd {
  init(): Promise<void>;
  compress(data: Uint8Array, level: number): Uint8Array;
}

export const zstd: RealCase = {
  name: "zstd-wasm",
  file: "@bokuweb/zstd-wasm/dist/common/zstd.wasm",
  async prepare() {
    const library = packages("@bokuweb/zstd-wasm") as Zstd;
    await library.init();
    const data = Buffer.from(someSource(800));
    return () => library.compress(data, 9);
  },
};

export const jpeg: RealCase = {
  name: "jsquash-jpeg",
  file: "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm",
  async prepare() {
    const codec = (await import("@jsquash/jpeg/encode.js")) as unknown as Encoder;
    await codec.init(new WebAssembly.Module(readPackage(this.file)));
    const image = someImage(256, 192);
    return async () => new Uint8Array(await codec.default(image));
  },
};

export const webp: RealCase = {
  name: "jsquash-webp",
  file: "@jsquash/webp/codec/enc/webp_enc_simd.wasm",
  async prepare() {
    const codec = (await import("@jsquash/webp/encode.js")) as unknown as Encoder;
    await codec.init(new WebAssembly.Module(readPackage(this.file)));
    const image = someImage(128, 128);
    return async () => new Uint8Array(await codec.default(image));
  },
};
